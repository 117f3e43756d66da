/** The path exists, the method does not. `allow` lists the methods that do. */
export class MethodNotAllowed extends Error {
  readonly allow: readonly string[]

  constructor(method: string, allow: readonly string[]) {
    super(`${method} is not allowed here; allowed: ${allow.join(', ')}`)
    this.name = 'MethodNotAllowed'
    this.allow = allow
  }
}

/** Too many failed authentications from one address. */
export class TooManyFailures extends Error {
  readonly retryAfterSeconds: number

  constructor(retryAfterSeconds: number) {
    super('Too many failed authentications from this address')
    this.name = 'TooManyFailures'
    this.retryAfterSeconds = retryAfterSeconds
  }
}
