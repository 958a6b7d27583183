import Foundation
import Metrics
import SocketIO
import TestSupport
import Testing

@testable import socketio

/// The text for Prometheus, read back by a strict parser.
struct PrometheusTests {
    @Test func allKindsOfMetrics() throws {
        let registry = PrometheusRegistry(bounds: [0.1, 1])
        Counter(label: "requests_total", dimensions: [("path", "/a"), ("code", "200")], factory: registry)
            .increment(by: 3)
        Counter(label: "requests_total", dimensions: [("code", "200"), ("path", "/a")], factory: registry).increment()
        Counter(label: "requests_total", dimensions: [("code", "500"), ("path", "/a")], factory: registry).increment()
        Gauge(label: "temperature", factory: registry).record(-1.5)
        let speed = Meter(label: "speed", factory: registry)
        speed.set(12)
        speed.increment(by: 2.5)
        speed.decrement(by: 0.5)
        Recorder(label: "size", factory: registry).record(10)
        Recorder(label: "size", factory: registry).record(20)
        let timer = Timer(label: "duration_seconds", dimensions: [("kind", "a")], factory: registry)
        for nanoseconds in [50_000_000, 100_000_000, 900_000_000, 5_000_000_000] {
            timer.recordNanoseconds(Int64(nanoseconds))
        }
        let families = try PrometheusParser.parse(registry.text())
        #expect(
            families.mapValues(\.type) == [
                "requests_total": "counter", "temperature": "gauge", "speed": "gauge", "size": "summary",
                "duration_seconds": "histogram",
            ])
        #expect(families.value("requests_total", ["path": "/a", "code": "200"]) == 4)
        #expect(families.value("requests_total", ["path": "/a", "code": "500"]) == 1)
        #expect(families.value("temperature") == -1.5)
        #expect(families.value("speed") == 14)
        #expect(families.value("size", suffix: "_sum") == 30)
        #expect(families.value("size", suffix: "_count") == 2)
        #expect(families.value("duration_seconds", ["kind": "a", "le": "0.1"], suffix: "_bucket") == 2)
        #expect(families.value("duration_seconds", ["kind": "a", "le": "1.0"], suffix: "_bucket") == 3)
        #expect(families.value("duration_seconds", ["kind": "a", "le": "+Inf"], suffix: "_bucket") == 4)
        #expect(abs((families.value("duration_seconds", ["kind": "a"], suffix: "_sum") ?? 0) - 6.05) < 1e-9)
    }

    @Test func namesAndValuesThatMustBeEscaped() throws {
        let registry = PrometheusRegistry()
        let value = "a \"quoted\" \\ back\nslash, {} = é"
        Counter(label: "http.requests-total", dimensions: [("1st", value)], factory: registry).increment()
        Counter(label: "0", factory: registry).increment()
        Counter(label: "", factory: registry).increment()
        Gauge(label: "a:b", factory: registry).record(Double.infinity)
        Gauge(label: "c", factory: registry).record(-Double.infinity)
        Gauge(label: "d", factory: registry).record(Double.nan)
        Gauge(label: "e", factory: registry).record(1e-300)
        let families = try PrometheusParser.parse(registry.text())
        #expect(families.value("http_requests_total", ["_1st": value]) == 1)
        #expect(families.value("_0") == 1)
        #expect(families.value("_") == 1)
        #expect(families.value("a:b") == .infinity)
        #expect(families.value("c") == -.infinity)
        #expect(families.value("d")?.isNaN == true)
        #expect(families.value("e") == 1e-300)
    }

    @Test func aNameHasOneKind() throws {
        let registry = PrometheusRegistry()
        Counter(label: "x", factory: registry).increment()
        Gauge(label: "x", factory: registry).record(7)
        let families = try PrometheusParser.parse(registry.text())
        #expect(families["x"]?.type == "counter")
        #expect(families.value("x") == 1)
    }

    @Test func whatIsDestroyedIsGone() throws {
        let registry = PrometheusRegistry()
        let counter = Counter(label: "x", factory: registry)
        let timer = Timer(label: "y", factory: registry)
        let gauge = Gauge(label: "z", factory: registry)
        counter.increment()
        counter.destroy()
        timer.destroy()
        gauge.destroy()
        #expect(registry.text() == "")
    }

    /// The parser refuses what Prometheus would.
    @Test(arguments: [
        "x 1\n", "# TYPE x counter\nx 1", "# TYPE x counter\nx{a=\"1} 1\n", "# TYPE x counter\nx{a=\"1\",} 1\n",
        "# TYPE x counter\ny 1\n", "# TYPE x counter\nx 1\nx 2\n", "# TYPE x counter\nx one\n", "# TYPE 0 counter\n",
        "# TYPE x counter\n# TYPE y counter\n# TYPE x counter\n", "# TYPE x counter\nx{a=\"\\x\"} 1\n",
        "# TYPE x histogram\nx_bucket{le=\"1\"} 2\nx_bucket{le=\"+Inf\"} 1\nx_sum 1\nx_count 1\n",
        "# TYPE x histogram\nx_bucket{le=\"1\"} 1\nx_sum 1\nx_count 1\n",
    ])
    func theParserIsStrict(text: String) {
        #expect(throws: PeerError.self) { try PrometheusParser.parse(text) }
    }

    @Test func aServerOnItsOwnPort() async throws {
        let registry = PrometheusRegistry()
        var configuration = SocketIOConfiguration(port: 0)
        configuration.metrics = MetricsConfiguration(factory: registry)
        configuration.metrics?.interval = .milliseconds(5)
        let io = SocketIOServer(configuration: configuration)
        io.onConnection { socket in socket.on("echo") { (text: String) in text } }
        let port = try #require(try await io.start().port)
        let monitoring = try MonitoringServer(io, registry)
        let monitoringPort = try #require(try await monitoring.start(host: "127.0.0.1", port: 0).port)
        let http = HTTPClient1(port: monitoringPort)

        let client = try await SIOClient.open(EIOOptions(port: port, transport: .websocket))
        try await client.connect()
        _ = try await client.emitWithAck("echo", "\"x\"")
        try await eventually("the counts of the loops") {
            let families = try PrometheusParser.parse(registry.text())
            return families.value("socketio_sockets") == 1 && families.value("socketio_events_received_total") == 1
                && families.value("socketio_packets_received_total", ["transport": "websocket"]) == 2
        }
        let reply = try await http.request("GET", "/metrics")
        #expect(reply.status == 200)
        #expect(reply.headers["content-type"] == PrometheusRegistry.contentType)
        let families = try PrometheusParser.parse(reply.text)
        #expect(families["socketio_handler_duration_seconds"]?.type == "histogram")
        #expect(
            families.value("socketio_handler_duration_seconds", ["kind": "sync"], suffix: "_count") == 1)
        #expect(families.value("socketio_sessions", ["transport": "websocket"]) == 1)

        var health = try await http.request("GET", "/health")
        #expect(health.status == 200)
        var decoded = try JSONDecoder().decode(ServerHealth.self, from: Data(health.text.utf8))
        #expect(decoded.phase == .listening && decoded.isReady && decoded.sockets == 1)
        #expect(try await http.request("GET", "/health/live").status == 200)
        #expect(try await http.request("GET", "/").status == 404)
        #expect(try await http.request("POST", "/metrics").status == 405)
        #expect(try await http.request("GET", "/engine.io/?EIO=4&transport=polling").status == 403)

        await client.close()
        await io.close(timeout: .seconds(1))
        health = try await http.request("GET", "/health")
        #expect(health.status == 503)
        decoded = try JSONDecoder().decode(ServerHealth.self, from: Data(health.text.utf8))
        #expect(decoded.phase == .closed && decoded.problems == ["the server is closed"])
        #expect(try await http.request("GET", "/health/live").status == 200)
        await monitoring.close()
    }
}
