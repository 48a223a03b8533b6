import GenesysLoop

/// What `LoopBound.execute(_:)` lends stays on the thread of the loop.
func take(_ bound: LoopBound<NotificationChannel>) {
    var kept: NotificationChannel?
    bound.execute { kept = $0 }  // error: 'kept'
    print(kept as Any)
}
