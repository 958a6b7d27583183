@_exported import RESP
@_exported import SocketIO
