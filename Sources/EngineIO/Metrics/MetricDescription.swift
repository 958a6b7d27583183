import Metrics

/// A metric: its name behind the prefix, and its label with all values that it may have.
package struct MetricDescription: Sendable {
    package enum Kind: String, Sendable {
        case counter
        case gauge
        case timer
    }

    package struct Label: Sendable {
        package let name: String
        package let values: [String]
    }

    package let name: String
    package let kind: Kind
    package let label: Label?

    package init(_ kind: Kind, _ name: String) {
        self.name = name
        self.kind = kind
        self.label = nil
    }

    package init<Value: MetricLabel>(_ kind: Kind, _ name: String, _ label: String, _ values: Value.Type) {
        self.name = name
        self.kind = kind
        self.label = Label(name: label, values: values.allCases.map(\.rawValue))
    }
}

/// The values of a label: a closed set, whatever clients do.
package protocol MetricLabel: RawRepresentable<String>, CaseIterable, Hashable, Sendable {}

/// Makes metrics as they are described: all series of them at once, so that those of what has never happened are there and 0.
package struct MetricMaker {
    private let factory: any MetricsFactory
    private let prefix: String
    private let dimensions: [(String, String)]

    package init(_ configuration: MetricsConfiguration) {
        self.factory = configuration.factory ?? MetricsSystem.factory
        self.prefix = configuration.prefix
        self.dimensions = configuration.dimensions
    }

    private func name(_ description: MetricDescription) -> String {
        self.prefix.isEmpty ? description.name : "\(self.prefix)_\(description.name)"
    }

    package func counter(_ description: MetricDescription) -> Counter {
        Counter(label: self.name(description), dimensions: self.dimensions, factory: self.factory)
    }

    package func gauge(_ description: MetricDescription) -> Gauge {
        Gauge(label: self.name(description), dimensions: self.dimensions, factory: self.factory)
    }

    package func timer(_ description: MetricDescription) -> Metrics.Timer {
        Timer(label: self.name(description), dimensions: self.dimensions, factory: self.factory)
    }

    package func counters<Label>(_ description: MetricDescription) -> MetricFamily<Label, Counter> {
        MetricFamily { value in
            Counter(
                label: self.name(description), dimensions: self.dimensions(description, value), factory: self.factory)
        }
    }

    package func gauges<Label>(_ description: MetricDescription) -> MetricFamily<Label, Gauge> {
        MetricFamily { value in
            Gauge(
                label: self.name(description), dimensions: self.dimensions(description, value), factory: self.factory)
        }
    }

    package func timers<Label>(_ description: MetricDescription) -> MetricFamily<Label, Metrics.Timer> {
        MetricFamily { value in
            Timer(
                label: self.name(description), dimensions: self.dimensions(description, value), factory: self.factory)
        }
    }

    private func dimensions(_ description: MetricDescription, _ value: String) -> [(String, String)] {
        guard let label = description.label else { return self.dimensions }
        return self.dimensions + [(label.name, value)]
    }
}

/// The series of a metric, one for each value of its label.
package struct MetricFamily<Label: MetricLabel, Metric: Sendable>: Sendable {
    private let series: [Label: Metric]

    init(_ make: (String) -> Metric) {
        var series: [Label: Metric] = [:]
        for value in Label.allCases { series[value] = make(value.rawValue) }
        self.series = series
    }

    package subscript(label: Label) -> Metric? { self.series[label] }
}
