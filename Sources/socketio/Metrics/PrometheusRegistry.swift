import Metrics
import Synchronization

/// Keeps metrics in memory and writes them in the text format of Prometheus (version 0.0.4): a small backend for swift-metrics,
/// to be taken as it is or replaced by a package.
///
/// Counters are counters, gauges and meters gauges, timers histograms in seconds, recorders summaries without quantiles.
final class PrometheusRegistry: MetricsFactory {
    enum Kind: String, Sendable {
        case counter
        case gauge
        case histogram
        case summary
    }

    private struct Family: Sendable {
        let kind: Kind
        /// By their labels, as they are written.
        var series: [String: any PrometheusSeries] = [:]
    }

    private let families = Mutex<[String: Family]>([:])
    private let bounds: [Double]

    /// The upper bounds of the buckets of histograms, in seconds.
    static let defaultBounds = [
        0.000_01, 0.000_05, 0.000_1, 0.000_5, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10,
    ]

    init(bounds: [Double] = PrometheusRegistry.defaultBounds) { self.bounds = bounds.sorted() }

    /// The content type of ``text()``.
    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// All metrics, ordered by name and labels.
    func text() -> String {
        let families = self.families.withLock { $0 }
        var text = ""
        for (name, family) in families.sorted(by: { $0.key < $1.key }) {
            text += "# TYPE \(name) \(family.kind.rawValue)\n"
            for (labels, series) in family.series.sorted(by: { $0.key < $1.key }) {
                series.write(name, labels, to: &text)
            }
        }
        return text
    }

    // MARK: Making

    /// The series of that name and these labels. nil if the name is one of another kind: two would make the text invalid.
    private func series<Series: PrometheusSeries>(
        _ kind: Kind, _ label: String, _ dimensions: [(String, String)], _ make: () -> Series
    ) -> Series? {
        let name = PrometheusText.name(label, allowsColon: true)
        let labels = PrometheusText.labels(dimensions)
        return self.families.withLock { families in
            if families[name] == nil { families[name] = Family(kind: kind) }
            guard families[name]?.kind == kind else { return nil }
            if let existing = families[name]?.series[labels] { return existing as? Series }
            let made = make()
            families[name]?.series[labels] = made
            return made
        }
    }

    func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        self.series(.counter, label, dimensions) { PrometheusCounter() } ?? NOOPMetricsHandler.instance
    }

    func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        if aggregate {
            return self.series(.summary, label, dimensions) { PrometheusSummary() } ?? NOOPMetricsHandler.instance
        }
        return self.series(.gauge, label, dimensions) { PrometheusGauge() } ?? NOOPMetricsHandler.instance
    }

    func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        self.series(.gauge, label, dimensions) { PrometheusGauge() } ?? NOOPMetricsHandler.instance
    }

    func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        self.series(.histogram, label, dimensions) { PrometheusHistogram(bounds: self.bounds) }
            ?? NOOPMetricsHandler.instance
    }

    func destroyCounter(_ handler: any CounterHandler) { self.remove(handler) }
    func destroyRecorder(_ handler: any RecorderHandler) { self.remove(handler) }
    func destroyMeter(_ handler: any MeterHandler) { self.remove(handler) }
    func destroyTimer(_ handler: any TimerHandler) { self.remove(handler) }

    private func remove(_ handler: AnyObject) {
        self.families.withLock { families in
            for (name, family) in families {
                for (labels, series) in family.series where series === handler {
                    families[name]?.series[labels] = nil
                }
                if families[name]?.series.isEmpty == true { families[name] = nil }
            }
        }
    }
}
