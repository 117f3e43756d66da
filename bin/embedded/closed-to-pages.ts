import type { IncomingMessage, Server, ServerResponse } from 'node:http'

const REFUSAL = JSON.stringify({
  __type: 'com.amazon.coral.service#AccessDeniedException',
  message: 'This DynamoDB refuses requests of web pages (those with an Origin header)',
})

const refuse = (request: IncomingMessage, response: ServerResponse): void => {
  request.resume()
  response.writeHead(403, { 'content-type': 'application/x-amz-json-1.0', connection: 'close' }).end(REFUSAL)
}

/**
 * Refuses requests that a web page has sent. The engine checks no signature and would allow every origin, so that any page
 * in a browser on this machine could read and write the table. Programs send no Origin; a browser adds it to every POST.
 */
export const closeToPages = (server: Server): void => {
  const handlers = server.listeners('request')
  server.removeAllListeners('request')
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    if (request.headers.origin !== undefined) refuse(request, response)
    else for (const handle of handlers) handle.call(server, request, response)
  })
}
