import { shortened } from '../../core/model/errors.ts'

/** The path exists, the method does not. `allow` lists the methods that do. */
export class MethodNotAllowed extends Error {
  readonly allow: readonly string[]

  constructor(method: string, allow: readonly string[]) {
    super(`${shortened(method)} is not allowed here; allowed: ${allow.join(', ')}`)
    this.name = 'MethodNotAllowed'
    this.allow = allow
  }
}

/** A model that is not registered, or that the caller may not use. */
export class ModelRefused extends Error {
  readonly code: 'model_not_found' | 'model_not_allowed'

  constructor(code: ModelRefused['code'], named: string) {
    const model = shortened(named)
    super(
      code === 'model_not_found'
        ? `The model \`${model}\` does not exist or you do not have access to it.`
        : `You are not allowed to use the model \`${model}\`.`,
    )
    this.name = 'ModelRefused'
    this.code = code
  }
}

/** nginx's status for a client that has closed the connection: no one reads the response, and only access logs show it. */
export const CLIENT_CLOSED_REQUEST = 499

/** The client closed the connection before its request had arrived. Nothing can be sent to it. */
export class ClientGone extends Error {
  constructor(options: { readonly cause: unknown }) {
    super('The client closed the connection before the end of its request', options)
    this.name = 'ClientGone'
  }
}
