/** A gateway response of an API. */
export interface GatewayResponse {
  readonly statusCode: string
  readonly responseParameters: Readonly<Record<string, string>>
  readonly responseTemplates: Readonly<Record<string, string>>
}

export interface RenderedResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  // biome-ignore lint/suspicious/noExplicitAny: tests read JSON of any shape
  readonly body: any
}

/**
 * What API Gateway makes of a gateway response: variables of its template are replaced, as they are, and headers without a value
 * left out. `authorizer`: the context that the authorizer returned. Emulators do not know these variables.
 */
export const rendered = (response: GatewayResponse, authorizer: object = {}): RenderedResponse => {
  const values = new Map(
    Object.entries(authorizer).map(([name, value]) => [`context.authorizer.${name}`, String(value)]),
  )
  const headers = Object.entries(response.responseParameters).flatMap(([name, mapping]) => {
    const value = mapping.startsWith("'") ? mapping.slice(1, -1) : values.get(mapping)
    return value === undefined ? [] : [[name.replace('gatewayresponse.header.', ''), value]]
  })
  const template = response.responseTemplates['application/json'] ?? ''
  const body = template.replace(/\$([\w.]+)/g, (_, name: string) => values.get(name) ?? '')
  return {
    status: Number(response.statusCode),
    headers: Object.fromEntries(headers),
    body: JSON.parse(body),
  }
}
