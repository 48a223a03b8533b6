/// The fuzz targets, with the names of `Scripts/fuzz` and of the folders of the corpora.
enum FuzzTarget: String, CaseIterable {
    case decoder
    case reader
    case upgradeResponse = "upgrade-response"
    case upgradeRequest = "upgrade-request"
    case uri
    case envelope
    case channel
    case client
    case tls

    /// What is wrong with the library's handling of `input`; nil if nothing is.
    func complaint(about input: [UInt8]) -> String? {
        switch self {
        case .decoder: DecoderOracle.complaint(about: input)
        case .reader: ReaderOracle.complaint(about: input)
        case .upgradeResponse: UpgradeResponseOracle.complaint(about: input)
        case .upgradeRequest: UpgradeRequestOracle.complaint(about: input)
        case .uri: URIOracle.complaint(about: input)
        case .envelope: EnvelopeOracle.complaint(about: input)
        case .channel: ChannelOracle.complaint(about: input)
        case .client: ClientMachineOracle.complaint(about: input)
        case .tls: TLSOracle.complaint(about: input)
        }
    }
}
