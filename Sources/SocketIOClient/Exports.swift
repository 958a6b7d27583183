@_exported import SocketIOCore

@_exported import struct EngineIOClient.EngineClientError
