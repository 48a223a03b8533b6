import Foundation
import Testing

@testable import GenesysLoop

@Suite(.timeLimit(.minutes(patience(2)))) struct ForkTests {
    @Test func `a child that uses its parent's loop is stopped with a sentence, and the parent goes on`() async {
        let result = await #expect(processExitsWith: .success, observing: [\.standardErrorContent]) {
            let server = try EchoServer(UVLoop(), tls: true)
            let host = WebSocketHost()
            host.onEvent = { event, client in
                switch event {
                case .opened:
                    let child = fork()
                    if child == 0 {
                        // This call must not return.
                        client.close()
                        _exit(0)
                    }
                    var status: Int32 = 0
                    // The variable is valid during the call.
                    guard unsafe waitpid(child, &status, 0) == child, status & 0x7F != 0 else { exit(2) }
                    guard (try? client.send(text: "still here")) == .sent else { exit(3) }
                case .text: client.close()
                default: break
                }
            }
            try host.run(server)
            guard host.events == [.opened, .text("still here"), .closed(.normal, "")] else { exit(1) }
        }
        let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(text.contains("An event loop made before fork() was used in the child process"))
    }
}
