import { Argument, type Command } from 'commander'
import type * as v from 'valibot'
import { defaultsResponse } from '../../src/contract/limits.ts'
import { policiesResponse, policyResponse } from '../../src/contract/policies.ts'
import { POLICY_SCOPES } from '../../src/core/model/policy.ts'
import { LIMIT_COLUMNS, LIMIT_HELP, type LimitJson, readLimits, sizeText } from '../limits/limit-text.ts'
import { tableText } from '../output/table.ts'
import type { Session } from '../session.ts'
import { examples, printList, printSent } from './common.ts'

type Policy = v.InferOutput<typeof policyResponse>

interface FileOption {
  readonly file?: string
}

/** `zael policies`. */
export const definePolicies = (policies: Command, session: Session): void => {
  policies.addHelpText(
    'after',
    examples(
      'zael policies list',
      "zael policies set GLOBAL '*' rps=1000/second",
      'zael policies set TENANT acme rph=5000/hour',
      "zael policies set USER '*' rpm=20/minute",
      'zael policies set USER_MODEL alice/gpt-4o rph=10/hour',
      'zael policies delete TENANT acme --yes',
    ),
  )
  policies
    .command('list')
    .description('List policies, each with its limits')
    .action(async () => {
      const api = await session.api()
      const items = await api.list({ path: PATH }, policiesResponse)
      printList(session, items, COLUMNS, 'no policies')
    })
  of(policies.command('show').description('Show the limits of a policy')).action(
    async (scope: string, selector: string) => {
      const api = await session.api()
      show(session, await api.request({ path: pathOf(scope, selector) }, policyResponse))
    },
  )
  defineSet(policies, session)
  of(policies.command('reset').description('Refill a policy')).action(
    async (scope: string, selector: string) => {
      const api = await session.api()
      const path = [...pathOf(scope, selector), 'reset']
      show(session, await api.request({ method: 'POST', path }, policyResponse))
    },
  )
  of(policies.command('delete').description('Delete a policy and its charges')).action(
    async (scope: string, selector: string) => {
      const api = await session.api()
      await session.confirm(`Delete the policy ${scope} ${selector} at ${api.url}?`)
      await api.send({ method: 'DELETE', path: pathOf(scope, selector) })
      printSent(session, `deleted ${scope} ${selector}`)
    },
  )
}

const defineSet = (policies: Command, session: Session): void => {
  of(policies.command('set').description('Set the limits of a policy, which all its requests share'))
    .argument('[limits...]', 'such as rpm=10/minute')
    .option('-f, --file <path>', 'a JSON list of limits; - reads stdin')
    .addHelpText('after', LIMIT_HELP)
    .action(async (scope: string, selector: string, texts: string[], { file }: FileOption) => {
      const body = { limits: await readLimits(session.host, texts, file) }
      const api = await session.api()
      show(session, await api.request({ method: 'PUT', path: pathOf(scope, selector), body }, policyResponse))
    })
}

const of = (command: Command): Command =>
  command
    .addArgument(new Argument('<scope>', 'the kind of policy').choices(POLICY_SCOPES))
    .argument('<selector>', "an id, '*', or <user>/<model> for USER_MODEL")

const PATH = ['api', 'policies'] as const

const pathOf = (scope: string, selector: string): readonly string[] => [
  ...PATH,
  scope,
  ...selector.split('/'),
]

const COLUMNS = [
  { heading: 'SCOPE', cell: (policy: Policy) => policy.scope },
  // as it is given to the other commands
  {
    heading: 'SELECTOR',
    cell: ({ user, model, selector }: Policy) => (user ? `${user}/${model}` : selector),
  },
  {
    heading: 'LIMITS',
    cell: ({ limits }: Policy) => limits.map((limit) => `${limit.name} ${sizeText(limit)}`).join('; '),
  },
]

const show = (session: Session, policy: Policy): void =>
  session.print(policy, () => limitsText(session, policy.limits))

const limitsText = ({ style }: Session, limits: readonly LimitJson[]): string =>
  limits.length === 0 ? 'no limits\n' : tableText(limits, LIMIT_COLUMNS, style)

interface DefaultsOptions extends FileOption {
  readonly role?: string
  readonly resource?: string
}

/** `zael defaults`. */
export const defineDefaults = (defaults: Command, session: Session): void => {
  defaults.addHelpText(
    'after',
    examples(
      'zael defaults show',
      'zael defaults set rpm=60/minute',
      'zael defaults set --role admin rpm=500/minute',
    ),
  )
  const showDefaults = (body: v.InferOutput<typeof defaultsResponse>): void =>
    session.print(body, () => limitsText(session, applyingDefaults(body)))
  selected(defaults.command('show').description('Show the limits of callers that have no own ones')).action(
    async ({ role, resource }: DefaultsOptions) => {
      const api = await session.api()
      showDefaults(await api.request({ path: DEFAULTS, query: { role, resource } }, defaultsResponse))
    },
  )
  selected(defaults.command('set').description('Replace defaults'))
    .argument('[limits...]', 'such as rpm=10/minute')
    .option('-f, --file <path>', 'a JSON list of limits; - reads stdin')
    .addHelpText('after', LIMIT_HELP)
    .action(async (texts: string[], { role, resource, file }: DefaultsOptions) => {
      const body = { limits: await readLimits(session.host, texts, file) }
      const api = await session.api()
      const request = { method: 'PUT', path: DEFAULTS, query: { role, resource }, body } as const
      showDefaults(await api.request(request, defaultsResponse))
    })
  selected(defaults.command('delete').description('Delete defaults, so that the next ones apply')).action(
    async ({ role, resource }: DefaultsOptions) => {
      const api = await session.api()
      await session.confirm(`Delete the defaults of ${role ?? 'all roles'} at ${api.url}?`)
      const request = {
        method: 'PUT',
        path: DEFAULTS,
        query: { role, resource },
        body: { limits: [] },
      } as const
      showDefaults(await api.request(request, defaultsResponse))
    },
  )
}

/** The limits that are set here, and the inherited ones that they do not replace. */
const applyingDefaults = ({ limits, inherited }: v.InferOutput<typeof defaultsResponse>) => [
  ...limits,
  ...inherited.filter(({ name }) => !limits.some((limit) => limit.name === name)),
]

const DEFAULTS = ['api', 'defaults'] as const

const selected = (command: Command): Command =>
  command
    .option('--role <role>', 'default: all roles')
    .option('-r, --resource <model>', 'default: for any model')
