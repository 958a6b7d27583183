// The reference implementation, with the events of bench-server: node server.js PORT
'use strict';

const http = require('node:http');
const { Server } = require('socket.io');

const port = Number(process.argv[2]);
if (!Number.isInteger(port)) {
  console.error('usage: node server.js PORT');
  process.exit(64);
}

const server = http.createServer();
const io = new Server(server, { serveClient: false });

io.on('connection', (socket) => {
  socket.on('echo', (payload) => socket.emit('echo', payload));
  socket.on('echo-ack', (payload, answer) => answer(payload));
  socket.on('join', (room) => {
    socket.join(room);
    socket.emit('joined', room);
  });
  socket.on('broadcast', (room, text, sequence) => io.to(room).emit('msg', text, sequence));
});

server.listen(port, '127.0.0.1', 1024);
