@testable import EngineIOCore

/// Requests that are in order, and such as two readers may understand differently.
enum HTTPCorpus {
    static let post = "POST /p HTTP/1.1\r\nHost: a\r\n"

    static let valid: [String] = [
        "GET /engine.io/?EIO=4&transport=polling&t=abc HTTP/1.1\r\nHost: localhost:3000\r\nUser-Agent: x (y; z)\r\n\r\n",
        post + "Content-Length: 11\r\nContent-Type: text/plain;charset=UTF-8\r\n\r\n4hello\u{1E}4you",
        post + "Transfer-Encoding: chunked\r\n\r\nA\r\n0123456789\r\n1;x\r\na\r\n0\r\n\r\n",
        post + "Transfer-Encoding: chunked\r\n\r\n5;n=v;m=\"q\"\r\nabcde\r\n0;last\r\nX-Sum: 1\r\nY: 2\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: a\r\nOrigin: http://b\r\n\r\n",
        "GET http://a/b HTTP/1.1\r\nHost: a\r\n\r\n",
        "PUT /x HTTP/1.0\r\nContent-Length: 3\r\nConnection: keep-alive\r\n\r\nabc",
        "DELETE /x HTTP/1.1\r\nHost:\r\nX:\t y \r\n\r\n",
    ]

    static let stream = Self.valid.joined()

    /// Each with the error that must come of it.
    static let refused: [(String, HTTPRequestError)] = [
        // CL.TE, TE.CL and their like: two ways to say where the body ends.
        (post + "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG", .badTransferEncoding),
        (
            post + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n8\r\nSMUGGLED\r\n0\r\n\r\n",
            .badTransferEncoding
        ),
        (post + "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", .badTransferEncoding),
        // TE.TE: a coding that some take for chunked and some do not.
        (post + "Transfer-Encoding: xchunked\r\n\r\n", .badTransferEncoding),
        (post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n", .badTransferEncoding),
        (post + "Transfer-Encoding: x\r\nTransfer-Encoding: chunked\r\n\r\n", .badTransferEncoding),
        (post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", .badTransferEncoding),
        (post + "Transfer-Encoding: chunked, chunked\r\n\r\n", .badTransferEncoding),
        (post + "Transfer-Encoding: chunked, identity\r\n\r\n", .badTransferEncoding),
        (post + "Transfer-Encoding: gzip, chunked\r\n\r\n", .unsupportedTransferEncoding),
        (post + "Transfer-Encoding: chunked,\r\n\r\n", .badTransferEncoding),
        (post + "Transfer-Encoding: ,chunked\r\n\r\n", .badTransferEncoding),
        (post + "Transfer-Encoding: \"chunked\"\r\n\r\n", .badTransferEncoding),
        (post + "Transfer-Encoding: chunked;q=1\r\n\r\n", .badTransferEncoding),
        (post + "Transfer-Encoding:\r\n\r\n", .badTransferEncoding),
        (post + "Transfer-Encoding: identity\r\n\r\n", .badTransferEncoding),
        (post + "Transfer-Encoding : chunked\r\n\r\n", .badField),
        (post + "Transfer-Encoding\t: chunked\r\n\r\n", .badField),
        (post + " Transfer-Encoding: chunked\r\n\r\n", .badField),
        (post + "X: y\n\nTransfer-Encoding: chunked\r\n\r\n", .badByte),
        (post + "Transfer-Encoding:\u{B}chunked\r\n\r\n", .badByte),
        (post + "Transfer-Encoding\u{0}: chunked\r\n\r\n", .badByte),
        ("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", .badTransferEncoding),
        // Lengths.
        (post + "Content-Length: 2\r\nContent-Length: 2\r\n\r\n4a", .badContentLength),
        (post + "Content-Length: 2\r\ncontent-length: 3\r\n\r\n4ab", .badContentLength),
        (post + "Content-Length: 2, 2\r\n\r\n4a", .badContentLength),
        (post + "Content-Length: +5\r\n\r\n", .badContentLength),
        (post + "Content-Length: -1\r\n\r\n", .badContentLength),
        (post + "Content-Length: 5 5\r\n\r\n", .badContentLength),
        (post + "Content-Length: 0x5\r\n\r\n", .badContentLength),
        (post + "Content-Length: 5.0\r\n\r\n", .badContentLength),
        (post + "Content-Length: 1e1\r\n\r\n", .badContentLength),
        (post + "Content-Length: \u{0665}\r\n\r\n", .badContentLength),
        (post + "Content-Length:\r\n\r\n", .badContentLength),
        (post + "Content-Length: 9223372036854775808\r\n\r\n", .badContentLength),
        (post + "Content-Length: 18446744073709551621\r\n\r\n", .badContentLength),
        (post + "Content-Length: \(String(repeating: "9", count: 400))\r\n\r\n", .badContentLength),
        (post + "Content-Length : 5\r\n\r\n", .badField),
        // Lines.
        ("GET / HTTP/1.1\nHost: a\n\n", .badByte),
        ("GET / HTTP/1.1\r\nHost: a\n\r\n", .badByte),
        ("GET / HTTP/1.1\r\nHost: a\r\n\n", .badByte),
        ("GET / HTTP/1.1\r\nHost: a\rX: y\r\n\r\n", .badByte),
        ("GET / HTTP/1.1\r\nHost: a\r\r\n\r\n", .badByte),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: a\u{0}b\r\n\r\n", .badByte),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: a\u{7F}b\r\n\r\n", .badByte),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n", .badField),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n\tb\r\n\r\n", .badField),
        ("GET / HTTP/1.1\r\n Host: a\r\n\r\n", .badField),
        ("GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n", .badField),
        ("GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n", .badField),
        ("GET / HTTP/1.1\r\nHost: a\r\nX Y: b\r\n\r\n", .badField),
        ("GET / HTTP/1.1\r\nHost: a\r\nX\u{FC}: b\r\n\r\n", .badField),
        ("GET / HTTP/1.1\r\nHost: a\r\nX\"(): b\r\n\r\n", .badField),
        // The request line.
        ("nonsense\r\n\r\n", .badRequestLine),
        (" GET / HTTP/1.1\r\nHost: a\r\n\r\n", .badRequestLine),
        ("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", .badRequestLine),
        ("GET /  HTTP/1.1\r\nHost: a\r\n\r\n", .badVersion),
        ("GET / HTTP/1.1 \r\nHost: a\r\n\r\n", .badVersion),
        ("GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", .badRequestLine),
        ("GET /\tHTTP/1.1\r\nHost: a\r\n\r\n", .badRequestLine),
        ("GET / a HTTP/1.1\r\nHost: a\r\n\r\n", .badVersion),
        ("GET /\r\nHost: a\r\n\r\n", .badRequestLine),
        ("GET HTTP/1.1\r\nHost: a\r\n\r\n", .badRequestLine),
        ("GET / http/1.1\r\nHost: a\r\n\r\n", .badVersion),
        ("GET / HTTP/1.10\r\nHost: a\r\n\r\n", .badVersion),
        ("GET / HTTP/01.1\r\nHost: a\r\n\r\n", .badVersion),
        ("GET / HTTP/1,1\r\nHost: a\r\n\r\n", .badVersion),
        ("GET / HTTP/0.9\r\nHost: a\r\n\r\n", .unsupportedVersion),
        ("GET / HTTP/1.2\r\nHost: a\r\n\r\n", .unsupportedVersion),
        ("GET / HTTP/2.0\r\nHost: a\r\n\r\n", .unsupportedVersion),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", .unsupportedVersion),
        ("get / HTTP/1.1\r\nHost: a\r\n\r\n", .unknownMethod),
        ("BREW / HTTP/1.1\r\nHost: a\r\n\r\n", .unknownMethod),
        ("G(T / HTTP/1.1\r\nHost: a\r\n\r\n", .badRequestLine),
        ("\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\u{0}", .badByte),
        // Targets.
        ("GET engine.io HTTP/1.1\r\nHost: a\r\n\r\n", .badTarget),
        ("GET /#fragment HTTP/1.1\r\nHost: a\r\n\r\n", .badTarget),
        ("GET /\u{FC} HTTP/1.1\r\nHost: a\r\n\r\n", .badTarget),
        ("GET *x HTTP/1.1\r\nHost: a\r\n\r\n", .badTarget),
        ("GET http:// HTTP/1.1\r\nHost: a\r\n\r\n", .badTarget),
        ("GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n", .badTarget),
        ("GET http:/a HTTP/1.1\r\nHost: a\r\n\r\n", .badTarget),
        ("GET http://user@a/ HTTP/1.1\r\nHost: a\r\n\r\n", .badTarget),
        ("GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", .badTarget),
        ("CONNECT /a HTTP/1.1\r\nHost: a\r\n\r\n", .badTarget),
        // Host.
        ("GET / HTTP/1.1\r\n\r\n", .badHost),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", .badHost),
        ("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", .badHost),
        ("GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", .badHost),
        ("GET / HTTP/1.1\r\nHost: a,b\r\n\r\n", .badHost),
        ("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", .badHost),
        ("GET / HTTP/1.1\r\nHost: \u{FC}\r\n\r\n", .badHost),
        // Chunks.
        (post + "Transfer-Encoding: chunked\r\n\r\n\r\n", .badChunk),
        (post + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", .badChunk),
        (post + "Transfer-Encoding: chunked\r\n\r\n-1\r\n", .badChunk),
        (post + "Transfer-Encoding: chunked\r\n\r\n+1\r\n", .badChunk),
        (post + "Transfer-Encoding: chunked\r\n\r\n 1\r\n", .badChunk),
        (post + "Transfer-Encoding: chunked\r\n\r\n1 \r\n", .badChunk),
        (post + "Transfer-Encoding: chunked\r\n\r\n0x1\r\n", .badChunk),
        (post + "Transfer-Encoding: chunked\r\n\r\n1\na\r\n0\r\n\r\n", .badChunk),
        (post + "Transfer-Encoding: chunked\r\n\r\n1\rXa\r\n0\r\n\r\n", .badChunk),
        (post + "Transfer-Encoding: chunked\r\n\r\n2\r\n4abc\r\n0\r\n\r\n", .badChunk),
        (post + "Transfer-Encoding: chunked\r\n\r\n2\r\n4a\n0\r\n\r\n", .badChunk),
        (post + "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n", .badChunk),
        (post + "Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n", .badChunk),
        (post + "Transfer-Encoding: chunked\r\n\r\n\(String(repeating: "0", count: 16))\r\n", .badChunk),
        (post + "Transfer-Encoding: chunked\r\n\r\n1;\r\n", .badChunk),
        (post + "Transfer-Encoding: chunked\r\n\r\n1;a=\r\n", .badChunk),
        (post + "Transfer-Encoding: chunked\r\n\r\n1;a=\"\n\"\r\n", .badChunk),
        (post + "Transfer-Encoding: chunked\r\n\r\n1;a=\"b\"c\r\n", .badChunk),
        (post + "Transfer-Encoding: chunked\r\n\r\n1;a\u{0}\r\n", .badChunk),
        (post + "Transfer-Encoding: chunked\r\n\r\n1;\(String(repeating: "a", count: 5000))\r\n", .tooLarge),
        (
            post + "Transfer-Encoding: chunked\r\n\r\n" + String(repeating: "1;abcdefghi\r\na\r\n", count: 500),
            .tooLarge
        ),
        // Trailers.
        (post + "Transfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 5\r\n\r\n", .badTrailer),
        (post + "Transfer-Encoding: chunked\r\n\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n", .badTrailer),
        (post + "Transfer-Encoding: chunked\r\n\r\n0\r\nX : y\r\n\r\n", .badField),
        (post + "Transfer-Encoding: chunked\r\n\r\n0\r\nX: a\r\n b\r\n\r\n", .badField),
        (post + "Transfer-Encoding: chunked\r\n\r\n0\r\nGET / HTTP/1.1\r\n\r\n", .badField),
        (
            post + "Transfer-Encoding: chunked\r\n\r\n0\r\n" + String(repeating: "X: y\r\n", count: 33) + "\r\n",
            .tooLarge
        ),
        (
            post + "Transfer-Encoding: chunked\r\n\r\n0\r\nX: " + String(repeating: "y", count: 9000) + "\r\n\r\n",
            .tooLarge
        ),
        // Floods.
        ("GET /" + String(repeating: "a", count: 17_000) + " HTTP/1.1\r\nHost: a\r\n\r\n", .tooLarge),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: " + String(repeating: "y", count: 17_000), .tooLarge),
        ("GET / HTTP/1.1\r\n" + String(repeating: "X: y\r\n", count: 129), .tooLarge),
        (
            "GET / HTTP/1.1\r\n" + String(repeating: "X: \(String(repeating: "y", count: 1000))\r\n", count: 70),
            .tooLarge
        ),
    ]
}
