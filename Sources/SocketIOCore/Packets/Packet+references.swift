extension Packet {
    /// Checks what the values of the packet amount to. Encoders refer to each attachment once; of a few placeholders in many places a client
    /// could otherwise make gigabytes.
    func checkReferences(_ limits: PacketLimits) throws(SocketIOError) {
        guard self.references > self.attachments.count else { return }
        let largest = self.attachments.reduce(0) { max($0, $1.readableBytes) }
        let (bytes, overflow) = largest.multipliedReportingOverflow(by: self.references)
        guard !overflow, bytes <= limits.maxAttachmentBytes else { throw SocketIOError.tooManyBytes(limits) }
    }
}
