import EngineIOCore
import NIOCore
import NIOHTTP1

extension HTTPHandler {
    /// Decides on the head alone what becomes of the body. A POST for a session is taken or refused here, so that a second
    /// one is noticed while the first is under way. nil: the request was answered.
    func target(of head: RequestHead) -> Target? {
        guard self.server.path.matches(head) else {
            return self.server.configuration.fallback == nil ? .unknown : .fallback
        }
        if self.clientFile(of: head) != nil { return .engine }
        guard head.method == .post else { return .engine }
        let query = QueryParameters(head)
        guard let sid = query.sid, !sid.isEmpty, query.transport == "polling",
            let session = self.server.session(id: sid),
            head.origin.map({ RequestOrigin.isValid($0) }) ?? true
        else { return .engine }
        switch session.beginPost(self) {
        case .accepted: break
        case .conflict:
            self.server.metrics?.rejected(.overlap)
            self.server.logger.debug("two POSTs at the same time", metadata: session.metadata())
            session.end(reason: .transportError, .close)
            self.respond(status: .badRequest, closing: true)
            return nil
        case .mismatch, .unknown: return .engine
        }
        if head.first("content-type") == "application/octet-stream", !session.isVersion3 {
            self.server.metrics?.rejected(.badRequest)
            self.server.logger.debug("a POST of the wrong content type", metadata: session.metadata())
            _ = session.endPost(self)
            session.end(reason: .transportError, .close)
            self.respond(status: .badRequest, closing: true)
            return nil
        }
        if case .length(let length) = head.framing, length > self.server.configuration.maxPayload {
            self.refuseBody(.post(session))
            return nil
        }
        return .post(session)
    }

    /// The file that a request asks for: its path below the server's is the name of one.
    private func clientFile(of head: RequestHead) -> EngineIOFile? {
        guard self.server.hasClientFiles, head.method == .get || head.method == .head else { return nil }
        let rest = head.bytes[head.targetRange].dropFirst(self.server.path.value.utf8.count)
        guard let first = rest.first, first != UInt8(ascii: "?") else { return nil }
        let name = String(decoding: rest.prefix { $0 != UInt8(ascii: "?") }, as: UTF8.self)
        return self.server.configuration.clientFiles[name]
    }

    private func respond(_ file: EngineIOFile, _ head: RequestHead) {
        let isKnown = head.items("if-none-match").contains { $0 == "*" || $0 == file.etag || $0 == "W/" + file.etag }
        var headers = HTTPHeaders()
        headers.add(name: "content-type", value: file.contentType)
        headers.add(name: "cache-control", value: "public, max-age=0")
        headers.add(name: "etag", value: file.etag)
        if isKnown {
            self.respond(status: .notModified, headers: headers)
        } else {
            self.respond(status: .ok, headers: headers, body: .bytes(file.body))
        }
    }

    /// The body is larger than `maxPayload`: the client is told, the session goes on.
    func refuseBody(_ target: Target) {
        self.server.metrics?.rejected(.bodyTooLarge)
        self.server.metrics?.exceeded(.maxPayload)
        self.server.logger.debug("request refused: body too large", metadata: ["socketio.limit": "maxPayload"])
        if case .post(let session) = target { _ = session.endPost(self) }
        self.body = ByteBuffer()
        self.respond(status: .payloadTooLarge, closing: true)
    }

    /// Handles a request of the server's path whose body does not count. The order of the checks is the protocol's.
    func route(_ head: RequestHead) {
        if let file = self.clientFile(of: head) { return self.respond(file, head) }
        let query = QueryParameters(head)
        let isUpgrade = head.wantsWebSocket
        if head.method == .options, self.server.configuration.cors.isEnabled {
            return self.respondPreflight(head)
        }
        guard let transport = query.transport.flatMap(EngineIOTransport.init(rawValue:)),
            self.server.configuration.transports.contains(transport)
        else {
            return self.refuse(.unknownTransport, ["transport": query.transport ?? ""], isUpgrade: isUpgrade)
        }
        let origin = head.origin
        guard origin.map({ RequestOrigin.isValid($0) }) ?? true else {
            return self.refuse(.badRequest, ["name": "INVALID_ORIGIN"], isUpgrade: isUpgrade)
        }
        if isUpgrade, let origin, !self.server.corsPolicy.admits(origin: origin, host: head.first("host")) {
            return self.refuse(.forbidden, ["name": "ORIGIN_NOT_ALLOWED"], isUpgrade: true)
        }
        if let sid = query.sid, !sid.isEmpty {
            guard let session = self.server.session(id: sid) else {
                return self.refuse(.unknownSession, ["sid": String(sid.prefix(64))], isUpgrade: isUpgrade)
            }
            if isUpgrade {
                guard transport == .websocket, self.server.configuration.allowUpgrades else {
                    return self.refuse(.badRequest, ["name": "TRANSPORT_MISMATCH"], isUpgrade: true)
                }
                return self.upgrade(session, usesBase64: query.wantsBase64)
            }
            guard transport == .polling else {
                return self.refuse(.badRequest, ["name": "TRANSPORT_MISMATCH"], isUpgrade: false)
            }
            switch head.method {
            case .get: return self.poll(session)
            case .post:
                // A session that polls has taken its POST when the head came.
                return self.refuse(.badRequest, ["name": "TRANSPORT_MISMATCH"], isUpgrade: false)
            default: return self.respond(status: .internalServerError)
            }
        }
        guard head.method == .get else {
            return self.refuse(.badMethod, ["method": head.methodName], isUpgrade: isUpgrade)
        }
        guard isUpgrade == (transport == .websocket) else {
            return self.refuse(.badRequest, ["name": "TRANSPORT_HANDSHAKE_ERROR"], isUpgrade: isUpgrade)
        }
        self.admit(head, query, isUpgrade: isUpgrade)
    }

    /// Asks the application about a new session, then opens it.
    private func admit(_ head: RequestHead, _ query: QueryParameters, isUpgrade: Bool) {
        let configuration = self.server.configuration
        let isSupported = query.eio == "4" || configuration.allowEIO3
        let dialect = SessionDialect(query, isWebSocket: isUpgrade, configuration)
        let request = self.makeRequest(head)
        // Who can't get in costs the application nothing. Both are asked for again below.
        if self.server.isDraining { return self.refuse(.closing, ["name": "SERVER_CLOSING"], isUpgrade: isUpgrade) }
        if let limit = self.server.reachedLimit(for: request) {
            return self.refuse(limit, request, isUpgrade: isUpgrade)
        }
        guard configuration.allowRequest != nil || configuration.generateID != nil else {
            guard isSupported else {
                return self.refuse(.unsupportedVersion, ["protocol": query.eio ?? ""], isUpgrade: isUpgrade)
            }
            return self.open(request, id: self.loop.makeID(), dialect, isUpgrade: isUpgrade)
        }
        self.activity = .waiting
        let serial = self.serial
        let loop = self.loop
        self.decision = Task(executorPreference: loop.executor) {
            var refusal: (EngineIORefusal, [String: String])?
            var id = ""
            if let allowRequest = configuration.allowRequest, case .refuse(let reason) = await allowRequest(request) {
                refusal = (.forbidden(reason), [:])
            } else if !isSupported {
                refusal = (.unsupportedVersion, ["protocol": request.query["EIO"] ?? ""])
            } else if let generateID = configuration.generateID {
                do { id = try await generateID(request) } catch {
                    refusal = (.badRequest, ["name": "ID_GENERATION_ERROR", "error": "\(error)"])
                }
            } else {
                id = SessionID.random()
            }
            let (refused, newID) = (refusal, id)
            loop.eventLoop.execute {
                guard self.serial == serial, case .waiting = self.activity else { return }
                if let (reason, context) = refused {
                    self.refuse(reason, context, isUpgrade: isUpgrade)
                } else {
                    self.open(request, id: newID, dialect, isUpgrade: isUpgrade)
                }
            }
        }
    }

    private func open(_ request: EngineIORequest, id: String, _ dialect: SessionDialect?, isUpgrade: Bool) {
        self.countHandshake()
        if isUpgrade {
            self.openWebSocket(request, id: id, dialect)
        } else if let session = self.newSession(request, id: id, dialect, isWebSocket: false) {
            self.poll(session)
        }
    }

    /// Opens a session, or refuses the request and returns nil.
    func newSession(
        _ request: EngineIORequest, id: String, _ dialect: SessionDialect?, isWebSocket: Bool
    ) -> EngineIOSession? {
        guard !id.isEmpty else {
            self.refuse(.badRequest, ["name": "ID_GENERATION_ERROR", "error": "not unique"], isUpgrade: isWebSocket)
            return nil
        }
        switch self.server.open(request, id: id, dialect, loop: self.loop, isWebSocket: isWebSocket) {
        case .opened(let session):
            self.isHandshake = true
            return session
        case .idTaken:
            self.refuse(.badRequest, ["name": "ID_GENERATION_ERROR", "error": "not unique"], isUpgrade: isWebSocket)
        case .full(let limit): self.refuse(limit, request, isUpgrade: isWebSocket)
        case .closed: self.refuse(.closing, ["name": "SERVER_CLOSING"], isUpgrade: isWebSocket)
        }
        return nil
    }

    /// Refuses a handshake because there are too many sessions.
    private func refuse(_ limit: EngineIOLimit, _ request: EngineIORequest, isUpgrade: Bool) {
        if limit == .maxSessions {
            self.server.logger.warning("handshake refused", metadata: ["socketio.limit": "maxSessions"])
        } else {
            // One line for each of somebody's attempts is for those who ask for it.
            self.server.logger.debug(
                "handshake refused",
                metadata: ["socketio.limit": "\(limit)", "socketio.address": "\(request.address)"])
        }
        self.server.tell(EngineIOLimitReport(limit: limit, action: .refused, request: request))
        self.refuse(
            .limit(limit), ["name": "TOO_MANY_CONNECTIONS", "limit": limit.rawValue], isUpgrade: isUpgrade)
    }

    /// Has the application answer a request for another path.
    func answerByFallback(_ head: RequestHead) {
        guard let fallback = self.server.configuration.fallback else { return self.respond(.notFound) }
        let request = self.makeRequest(head, body: self.body)
        self.activity = .waiting
        let serial = self.serial
        let loop = self.loop
        self.decision = Task(executorPreference: loop.executor) {
            let response = await fallback(request)
            loop.eventLoop.execute {
                guard self.serial == serial, case .waiting = self.activity else { return }
                self.respond(response)
            }
        }
    }

    func makeRequest(_ head: RequestHead, body: ByteBuffer = ByteBuffer()) -> EngineIORequest {
        let remote = self.transport?.remoteAddress
        var address: String?
        if !self.server.trustedProxies.isEmpty {
            address = ForwardedAddress.client(
                peer: EngineIORequest.peer(remote),
                headers: head.values("forwarded"),
                xForwardedFor: head.values("x-forwarded-for"),
                trusted: self.server.trustedProxies
            )
        }
        return EngineIORequest(
            head: head, remoteAddress: remote, address: address, isSecure: self.transport?.isSecure ?? false,
            body: body)
    }
}

extension RequestHead {
    /// The items of all fields with this name, which are lists.
    fileprivate func items(_ name: StaticString) -> [String] {
        self.values(name).flatMap { value in
            value.utf8.split(separator: UInt8(ascii: ",")).map { item in
                var item = item
                while let first = item.first, first == 0x20 || first == 0x09 { item.removeFirst() }
                while let last = item.last, last == 0x20 || last == 0x09 { item.removeLast() }
                return String(decoding: item, as: UTF8.self)
            }
        }
    }
}
