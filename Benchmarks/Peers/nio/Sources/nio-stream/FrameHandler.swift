import FoundationEssentials
import NIOCore
import NIOFoundationEssentialsCompat
import NIOWebSocket

/// What is parsed of a message.
struct Topic: Decodable {
    let topicName: String
}

/// Counts the text messages after the first, which confirms the subscription.
final class FrameHandler: ChannelInboundHandler {
    typealias InboundIn = WebSocketFrame
    typealias OutboundOut = WebSocketFrame

    private static let subscribe = """
        {"message":"subscribe","topics":["v2.users.e40f28ea-fa86-493f-a5b8-d559c8533c96.presence"],\
        "correlationId":"uno5VlaUHt5t2Mul"}
        """

    private let options: Options
    private let confirmed: () -> Void
    private var isConfirmed = false
    private(set) var messageCount = 0
    private(set) var byteCount = 0
    private let decoder = JSONDecoder()

    init(options: Options, confirmed: @escaping () -> Void) {
        self.options = options
        self.confirmed = confirmed
    }

    static func subscription() -> WebSocketFrame {
        WebSocketFrame(fin: true, opcode: .text, maskKey: .random(), data: ByteBuffer(string: subscribe))
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = unwrapInboundIn(data)
        switch frame.opcode {
        case .text:
            guard isConfirmed else {
                isConfirmed = true
                confirmed()
                return
            }
            messageCount += 1
            byteCount += frame.data.readableBytes
            if options.parse {
                do {
                    _ = try decoder.decode(Topic.self, from: frame.data)
                } catch {
                    context.fireErrorCaught(error)
                }
            }
            if options.echo { send(frame.data, .text, context) }
        case .ping:
            send(frame.data, .pong, context)
        case .connectionClose:
            send(frame.data, .connectionClose, context)
            context.close(promise: nil)
        default:
            break
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        if options.idle == 0 { print("{\"messages\":\(messageCount),\"bytes\":\(byteCount)}") }
    }

    private func send(_ data: ByteBuffer, _ opcode: WebSocketOpcode, _ context: ChannelHandlerContext) {
        let frame = WebSocketFrame(fin: true, opcode: opcode, maskKey: .random(), data: data)
        context.writeAndFlush(wrapOutboundOut(frame), promise: nil)
    }
}
