// The reference: Socket.IO with connection state recovery, as its documentation sets it up.
//
// Like the relay under test it is told of events over a control connection, one line each:
// `ROOM {"entries": [{"event": {...}}, ...]}`; `#gc` collects garbage and answers `ok`.
'use strict'
const http = require('http')
const net = require('net')
const { Server } = require('socket.io')

const web = http.createServer()
const io = new Server(web, {
  transports: ['websocket'],
  serveClient: false,
  perMessageDeflate: false,
  // No heartbeat within a measurement, here as there.
  pingInterval: 3_600_000,
  connectionStateRecovery: { maxDisconnectionDuration: 120_000, skipMiddlewares: true },
})

io.on('connection', (socket) => {
  if (!socket.recovered) socket.join(socket.handshake.auth.room)
})

function take(line, control) {
  if (line === '#gc') {
    global.gc()
    control.write('ok\n')
    return
  }
  const gap = line.indexOf(' ')
  const room = line.slice(0, gap)
  for (const entry of JSON.parse(line.slice(gap + 1)).entries) io.to(room).emit('event', entry.event)
}

const control = net.createServer((socket) => {
  let rest = ''
  socket.setEncoding('utf8')
  socket.on('data', (text) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop()
    for (const line of lines) take(line, socket)
  })
})

control.listen(0, '127.0.0.1', () => {
  // As long a backlog as the relay's: all clients come back at once.
  web.listen({ port: 0, host: '127.0.0.1', backlog: 2048 }, () => {
    console.log(`${web.address().port} ${control.address().port}`)
  })
})
