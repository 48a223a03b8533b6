/// The kind of words in a text.
enum TextKind: String, CaseIterable {
    case ascii = "ASCII"
    /// About one letter in ten takes two bytes.
    case latin = "10 % Latin"
    case cjk = "CJK"
    case emoji

    var words: [String] {
        switch self {
        case .ascii: ["the agent ", "answered, ", "and ", "a caller ", "waits in queue 7 ", "for 12.5 seconds. "]
        case .latin:
            ["der Anruf läuft, ", "für ", "später ", "naïve, ", "übergeben ", "an die Gruppe ", "déjà vu, ", "größer "]
        case .cjk: ["通知", "会話が", "終了しました。", "担当者", "待ち行列", "の", "状態を確認", "する、"]
        case .emoji: ["🎧", "📞🙂", "👩🏽‍💻", "🇩🇪🇯🇵", "🚀", "💬💬", "❤️"]
        }
    }
}
