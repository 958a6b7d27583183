import Foundation
import TestSupport
import Testing

struct SpawnedProcessTests {
    /// A program that had a connection too would keep it open when the test has closed it.
    @Test func programsGetNoConnections() async throws {
        try await withServer { server in
            let webSocket = try await server.openWebSocket()
            let process = try ServerProcess("/bin/sleep", ["600"])
            await webSocket.connection.close()
            #expect(try await server.onlyEnd() == "transport close")
            process.signal(SIGKILL)
            #expect(try await process.waitForExit() == .signaled(SIGKILL))
        }
    }
}
