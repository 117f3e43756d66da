import { Server } from 'node:net'
import { pathToFileURL } from 'node:url'

/*
 * Starts Portkey's gateway, whose module is at `PORTKEY_SERVER`, on a free port of the loopback interface: by itself it listens
 * on a fixed port of every interface.
 */
const { listen } = Server.prototype

Server.prototype.listen = function () {
  return listen.call(this, 0, '127.0.0.1', () => {
    process.stdout.write(`\nAPI http://127.0.0.1:${this.address().port}\n`)
  })
}

process.argv.push('--headless')
await import(pathToFileURL(process.env.PORTKEY_SERVER ?? '').href)
