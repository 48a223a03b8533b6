import CUV
import GenesysLoop

/// `theirs` is the program's own loop, which it runs, stops and closes as before.
func embed(
    _ host: any NotificationChannelDelegate, in theirs: UnsafeMutablePointer<uv_loop_t>, uri: String
) throws -> () -> Void {
    let loop = unsafe try UVLoop(adopting: theirs)
    let channel = try NotificationChannel(uri: uri, topics: ["v2.users.ID.presence"], on: loop, delegate: host)
    channel.open()

    return {  // when the program wants us to leave, on its loop's thread
        channel.close()
        loop.detach { print("none of the library's handles is left on the loop") }
    }
}
