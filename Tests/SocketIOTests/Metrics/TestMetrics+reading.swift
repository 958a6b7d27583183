import MetricsTestKit
import TestSupport

extension TestMetrics {
    /// What was counted under a name and a label.
    func count(_ name: String, _ label: (String, String)? = nil) -> Int {
        guard let counter = try? self.expectCounter("socketio_" + name, label.map { [$0] } ?? []) else { return -1 }
        return Int(counter.totalValue)
    }

    /// What a gauge says now.
    func gauge(_ name: String, _ label: (String, String)? = nil) -> Int {
        let gauge = try? self.expectGauge("socketio_" + name, label.map { [$0] } ?? [])
        return gauge?.lastValue.map { Int($0) } ?? -1
    }

    /// The durations of a timer, in nanoseconds.
    func durations(_ name: String, _ label: (String, String)? = nil) -> [Int64] {
        (try? self.expectTimer("socketio_" + name, label.map { [$0] } ?? []).values) ?? []
    }

    /// Waits until a gauge has a value.
    func wait(_ name: String, _ label: (String, String)? = nil, is value: Int) async throws {
        try await eventually("\(name) \(label.map { "\($0)" } ?? "") to be \(value)") {
            self.gauge(name, label) == value
        }
    }

    /// Waits until a counter has a value.
    func waitForCount(_ name: String, _ label: (String, String)? = nil, is value: Int) async throws {
        try await eventually("\(name) \(label.map { "\($0)" } ?? "") to be \(value)") {
            self.count(name, label) == value
        }
    }

    /// The gauges that are not 0 now, but for those of what stays: the adapter and the namespaces.
    var gaugesAboveZero: [String] {
        self.recorders.filter { gauge in
            !["socketio_adapter_ready", "socketio_namespaces"].contains(gauge.label) && gauge.lastValue != 0
        }.map { "\($0)" }
    }
}
