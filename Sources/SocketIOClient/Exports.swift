@_exported import SocketIOCore
