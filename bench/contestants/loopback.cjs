// node -r loopback.cjs: every listen() of the program is bound to 127.0.0.1, for peers without an option
// for it. Anything it cannot turn round (a path, a descriptor) passes unchanged.
'use strict'
const net = require('node:net')

const listen = net.Server.prototype.listen
net.Server.prototype.listen = function (first, ...rest) {
  if (typeof first === 'object' && first !== null && first.port !== undefined) {
    return listen.call(this, { ...first, host: '127.0.0.1' }, ...rest)
  }
  if (typeof first === 'number' || /^\d+$/.test(String(first))) {
    const callback = rest.filter((argument) => typeof argument === 'function')
    return listen.call(this, { port: Number(first), host: '127.0.0.1' }, ...callback)
  }
  return listen.call(this, first, ...rest)
}
