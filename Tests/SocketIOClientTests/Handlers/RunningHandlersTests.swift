import TestSupport
import Testing

@testable import SocketIOClient

struct RunningHandlersTests {
    @Test func eventsAreCountedAndNoticesAreNot() {
        let handlers = RunningHandlers(limit: 2)
        let notice = handlers.begin(.notice)
        let one = handlers.begin(.event)
        #expect(handlers.canStart())
        let two = handlers.begin(.event)
        #expect(!handlers.canStart())
        #expect(handlers.count == 3)
        // Somebody waits since then, and is told once that there is room.
        #expect(handlers.end(one))
        #expect(!handlers.end(two))
        #expect(!handlers.end(notice))
        #expect(handlers.count == 0)
        // Nobody overtakes those that wait.
        #expect(!handlers.canStart())
        #expect(handlers.canStartNext(isAnyWaiting: true))
        #expect(!handlers.canStartNext(isAnyWaiting: false))
        #expect(handlers.canStart())
    }

    @Test func noWakeUpIsLost() {
        let handlers = RunningHandlers(limit: 1)
        let one = handlers.begin(.event)
        #expect(!handlers.canStart())
        #expect(handlers.end(one))
        // It has begun to look, and starts one that ends at once.
        #expect(handlers.canStartNext(isAnyWaiting: true))
        let two = handlers.begin(.event)
        #expect(!handlers.end(two))
        #expect(handlers.canStartNext(isAnyWaiting: true))
        let three = handlers.begin(.event)
        #expect(!handlers.canStartNext(isAnyWaiting: true))
        #expect(handlers.end(three))
    }

    @Test func crowdedByNoticesOnly() {
        let handlers = RunningHandlers(limit: 2)
        _ = handlers.begin(.event)
        _ = handlers.begin(.event)
        _ = handlers.begin(.notice)
        #expect(!handlers.isCrowded)
        let last = handlers.begin(.notice)
        #expect(handlers.isCrowded)
        _ = handlers.end(last)
        #expect(!handlers.isCrowded)
    }

    @Test func theEndOfAllIsTold() {
        let handlers = RunningHandlers(limit: 10)
        let told = Awaited(0)
        let one = handlers.begin(.event)
        let two = handlers.begin(.notice)
        handlers.whenEnded([one, two]) { told.update { $0 += 1 } }
        handlers.whenEnded([one]) { told.update { $0 += 10 } }
        handlers.whenEnded([-1]) { told.update { $0 += 100 } }
        #expect(told.value == 100)
        _ = handlers.begin(.event)
        _ = handlers.end(one)
        #expect(told.value == 110)
        _ = handlers.end(two)
        _ = handlers.end(two)
        #expect(told.value == 111)
    }

    @Test func aTaskMayHaveEndedBeforeItIsKnown() {
        let handlers = RunningHandlers(limit: 1)
        let one = handlers.begin(.event)
        _ = handlers.end(one)
        handlers.attach(Task {}, to: one)
        #expect(handlers.count == 0)
        handlers.cancel([one])
    }
}
