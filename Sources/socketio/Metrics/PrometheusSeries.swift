import Metrics
import Synchronization

/// What has a name and labels.
protocol PrometheusSeries: AnyObject, Sendable {
    func write(_ name: String, _ labels: String, to text: inout String)
}

final class PrometheusCounter: PrometheusSeries, CounterHandler {
    private let value = Atomic<Int64>(0)

    func increment(by amount: Int64) { self.value.wrappingAdd(amount, ordering: .relaxed) }
    func reset() { self.value.store(0, ordering: .relaxed) }

    func write(_ name: String, _ labels: String, to text: inout String) {
        PrometheusText.line(name, labels, "\(self.value.load(ordering: .relaxed))", to: &text)
    }
}

final class PrometheusGauge: PrometheusSeries, RecorderHandler, MeterHandler {
    private let value = Mutex(0.0)

    func record(_ value: Int64) { self.set(Double(value)) }
    func record(_ value: Double) { self.set(value) }
    func set(_ value: Int64) { self.set(Double(value)) }
    func set(_ value: Double) { self.value.withLock { $0 = value } }
    func increment(by amount: Double) { self.value.withLock { $0 += amount } }
    func decrement(by amount: Double) { self.value.withLock { $0 -= amount } }

    func write(_ name: String, _ labels: String, to text: inout String) {
        PrometheusText.line(name, labels, PrometheusText.number(self.value.withLock { $0 }), to: &text)
    }
}

final class PrometheusSummary: PrometheusSeries, RecorderHandler {
    private let total = Mutex((sum: 0.0, count: 0))

    func record(_ value: Int64) { self.record(Double(value)) }
    func record(_ value: Double) {
        self.total.withLock { total in
            total.sum += value
            total.count += 1
        }
    }

    func write(_ name: String, _ labels: String, to text: inout String) {
        let (sum, count) = self.total.withLock { $0 }
        PrometheusText.line(name + "_sum", labels, PrometheusText.number(sum), to: &text)
        PrometheusText.line(name + "_count", labels, "\(count)", to: &text)
    }
}

final class PrometheusHistogram: PrometheusSeries, TimerHandler {
    private struct State: Sendable {
        /// How many lie in each bucket alone; the last is for those above all bounds.
        var counts: [Int]
        var sum = 0.0
    }

    private let bounds: [Double]
    private let state: Mutex<State>

    init(bounds: [Double]) {
        self.bounds = bounds
        self.state = Mutex(State(counts: Array(repeating: 0, count: bounds.count + 1)))
    }

    func recordNanoseconds(_ duration: Int64) {
        let seconds = Double(duration) / 1e9
        var bucket = 0
        while bucket < self.bounds.count, seconds > self.bounds[bucket] { bucket += 1 }
        self.state.withLock { state in
            state.counts[bucket] += 1
            state.sum += seconds
        }
    }

    func write(_ name: String, _ labels: String, to text: inout String) {
        let state = self.state.withLock { $0 }
        let separator = labels.isEmpty ? "" : ","
        var count = 0
        for (bound, more) in zip(self.bounds.map(PrometheusText.number) + ["+Inf"], state.counts) {
            count += more
            PrometheusText.line(name + "_bucket", "\(labels)\(separator)le=\"\(bound)\"", "\(count)", to: &text)
        }
        PrometheusText.line(name + "_sum", labels, PrometheusText.number(state.sum), to: &text)
        PrometheusText.line(name + "_count", labels, "\(count)", to: &text)
    }
}
