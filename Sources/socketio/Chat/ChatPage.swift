import NIOCore
import SocketIO

/// The page at `/`.
struct ChatPage: Sendable {
    private let page: ByteBuffer

    init(client: ClientLibrary) {
        let template = String(decoding: PackageResources.chat_html, as: UTF8.self)
        self.page = ByteBuffer(
            string:
                template
                .split(separator: "{{CLIENT_SRC}}", omittingEmptySubsequences: false).joined(separator: client.source)
                .split(separator: "{{CLIENT_INTEGRITY}}", omittingEmptySubsequences: false)
                .joined(separator: client.attributes)
        )
    }

    func answer(_ request: EngineIORequest) -> EngineIOResponse {
        let path = request.url.prefix { $0 != "?" }
        guard path == "/" else { return .notFound }
        guard request.method == .GET || request.method == .HEAD else {
            return EngineIOResponse(status: .methodNotAllowed, headers: ["allow": "GET, HEAD"])
        }
        return EngineIOResponse(
            status: .ok,
            headers: [
                "content-type": "text/html; charset=utf-8",
                "cache-control": "no-cache",
                "x-content-type-options": "nosniff",
                "referrer-policy": "no-referrer",
                "x-frame-options": "DENY",
            ],
            body: self.page
        )
    }
}
