import type { Settings } from '../settings/settings.ts'
import type { TableHost } from './table-host.ts'

export interface Announced {
  readonly version: string
  readonly apiUrl: string
  readonly host: Pick<TableHost, 'endpoint' | 'region' | 'credentials'>
  readonly settings: Pick<
    Settings,
    'tableName' | 'dataDir' | 'awsEndpointUrl' | 'adminToken' | 'viewerToken' | 'defaultModel'
  >
}

const keptIn = ({ awsEndpointUrl, dataDir }: Announced['settings']): string => {
  if (awsEndpointUrl !== null) return ''
  return dataDir === null ? ', in memory: DATA_DIR keeps it' : `, kept in ${dataDir}`
}

/** The aws CLI wants credentials even where the engine looks at none. */
const scanLine = ({ host, settings }: Announced): string => {
  const { credentials } = host
  const access = credentials
    ? `AWS_ACCESS_KEY_ID=${credentials.accessKeyId} AWS_SECRET_ACCESS_KEY=${credentials.secretAccessKey} `
    : ''
  return `${access}aws dynamodb scan --table-name ${settings.tableName} --endpoint-url ${host.endpoint} --region ${host.region}`
}

/** Where everything is, for whoever has just started it. */
export const announcement = (announced: Announced): string => {
  const { version, apiUrl, host, settings } = announced
  return `
zael ${version} is ready. Ctrl-C stops it.

  API     ${apiUrl}
  Page    ${apiUrl}/dashboard#token=${settings.adminToken}  (reads only: #token=${settings.viewerToken})
  Docs    ${apiUrl}/docs  (ReDoc: ${apiUrl}/redoc, OpenAPI: ${apiUrl}/openapi.json)
  Admin   Authorization: Bearer ${settings.adminToken}  (reads only: ${settings.viewerToken})
  Table   ${settings.tableName} in ${host.endpoint}${keptIn(settings)}

See the table:
  ${scanLine(announced)}

Ask as key-bob:
  curl ${apiUrl}/v1/chat/completions -H 'Authorization: Bearer key-bob' -H 'Content-Type: application/json' -d '{"model": "${settings.defaultModel}", "max_tokens": 50, "messages": [{"role": "user", "content": "Hello"}]}'

See what they have used:
  curl ${apiUrl}/api/usage/key-bob -H 'Authorization: Bearer ${settings.viewerToken}'
`
}
