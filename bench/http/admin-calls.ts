import { ADMIN_TOKEN } from './servers.ts'

/** Calls a server as its administrator: with a JSON body, if one is given. Throws unless the response is 2xx. */
export const adminCalls =
  (url: string) =>
  async (method: string, path: string, body?: object): Promise<void> => {
    const { ok, status } = await fetch(`${url}${path}`, {
      method,
      headers: { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    })
    if (!ok) throw new Error(`${method} ${path} returned ${status}`)
  }
