extension TableTests {
    static let table: [StateName: String] = [
        .idle: idle,
        .waiting: waiting,
        .attempting: attempting,
        .live: live,
        .rollingOver: rollingOver,
        .handedOver: handedOver,
        .draining: draining,
        .closing: closing,
        .ended: ended,
    ]
}
