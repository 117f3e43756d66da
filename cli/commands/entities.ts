import { type Command, Option } from 'commander'
import type * as v from 'valibot'
import { childrenResponse, entitiesResponse, entityResponse } from '../../src/contract/entities.ts'
import { PRIORITIES } from '../../src/core/model/entity.ts'
import { usageError } from '../failure.ts'
import { fieldsText } from '../output/table.ts'
import { printable } from '../output/text.ts'
import { timeText } from '../output/times.ts'
import type { Session } from '../session.ts'
import { examples, given, listed, mostOption, named, printList, printSent } from './common.ts'

type Entity = v.InferOutput<typeof entityResponse>

interface ListOptions {
  readonly search?: string
  readonly limit: number
}

/** What a command may set of an entity; false: `--no-…`, nothing. */
interface EntityOptions {
  readonly name?: string
  readonly parent?: string | false
  readonly kind?: string
  readonly role?: string | false
  readonly priority?: string
  readonly models?: readonly string[] | false
  readonly cascade?: boolean
  readonly disabled?: boolean
  readonly bypass?: boolean
  readonly metadata?: Readonly<Record<string, string>>
}

const PATH = ['api', 'entities'] as const

/** `zael entities`. */
export const defineEntities = (entities: Command, session: Session): void => {
  entities.addHelpText(
    'after',
    examples(
      'zael entities list --search team-',
      "zael entities create team-a --name 'Team A' --kind team",
      'zael entities create key-ci --parent team-a --cascade --models gpt-4o,gpt-4o-mini',
      'zael entities set key-ci --disabled',
      'zael entities delete key-ci --yes',
    ),
  )
  defineReads(entities, session)
  defineWrites(entities, session)
}

const defineReads = (entities: Command, session: Session): void => {
  entities
    .command('list')
    .description('List entities by id')
    .option('-s, --search <text>', 'ids that begin with it, then ids and names that contain it')
    .addOption(mostOption())
    .action(async ({ search, limit }: ListOptions) => {
      const api = await session.api()
      const items = await api.list({ path: PATH, query: { q: search } }, entitiesResponse, limit)
      printList(session, items, COLUMNS, 'no entities')
    })
  entities
    .command('show')
    .description('Show an entity')
    .argument('<entity>')
    .action(async (id: string) => {
      const api = await session.api()
      show(session, await api.request({ path: [...PATH, id] }, entityResponse))
    })
  entities
    .command('children')
    .description('List the ids of an entity’s children')
    .argument('<entity>')
    .action(async (id: string) => {
      const api = await session.api()
      const body = await api.request({ path: [...PATH, id, 'children'] }, childrenResponse)
      session.print(body, () => body.children.map((child) => `${printable(child)}\n`).join(''))
    })
}

const defineWrites = (entities: Command, session: Session): void => {
  withFields(entities.command('create').description('Create an entity').argument('<entity>'))
    .option('--name <name>', 'default: its id')
    .action(async (id: string, options: EntityOptions) => {
      const api = await session.api()
      const body = { entity_id: id, ...fieldsOf({ name: id, ...options }) }
      show(session, await api.request({ method: 'POST', path: PATH, body }, entityResponse))
    })
  withFields(entities.command('set').description('Change an entity').argument('<entity>'))
    .option('--name <name>')
    .option('--disabled', 'requests of it are rejected with 401')
    .option('--no-disabled')
    .option('--bypass', 'requests of it are counted and never limited')
    .option('--no-bypass')
    .action(async (id: string, options: EntityOptions) => {
      const body = fieldsOf(options)
      if (Object.keys(body).length === 0)
        throw usageError('give at least one option, such as --disabled; see --help')
      const api = await session.api()
      const request = { method: 'PATCH', path: [...PATH, id], body } as const
      show(session, await api.request(request, entityResponse))
    })
  entities
    .command('delete')
    .description('Delete an entity without children, with its keys and limits')
    .argument('<entity>')
    .action(async (id: string) => {
      const api = await session.api()
      await session.confirm(`Delete the entity ${id}, its keys and its limits at ${api.url}?`)
      await api.send({ method: 'DELETE', path: [...PATH, id] })
      printSent(session, `deleted ${id}`)
    })
}

const withFields = (command: Command): Command =>
  command
    .option('--parent <id>', 'the entity above it')
    .option('--no-parent')
    .option('--kind <kind>', 'any id; policies of scope TENANT apply below kind tenant')
    .option('--role <role>', 'its defaults are those of the role')
    .option('--no-role')
    .option('--cascade', 'the own limits of its parents apply to it too')
    .option('--no-cascade')
    .addOption(new Option('--priority <priority>', 'its share where headroom is kept').choices(PRIORITIES))
    .option('--models <ids>', 'the models that it may use, separated by commas', listed)
    .option('--no-models', 'all models')
    .option('--metadata <name=value>', 'repeat it for several', named)

/** The body of a request: what is not given stays as it is. */
const fieldsOf = ({ parent, role, models, ...rest }: EntityOptions): object =>
  given({
    ...rest,
    parent_id: parent === false ? null : parent,
    role: role === false ? null : role,
    models: models === false ? null : models,
  })

const COLUMNS = [
  { heading: 'ENTITY', cell: (entity: Entity) => entity.entity_id },
  { heading: 'NAME', cell: (entity: Entity) => entity.name },
  { heading: 'KIND', cell: (entity: Entity) => entity.kind },
  { heading: 'PARENT', cell: (entity: Entity) => entity.parent_id },
  { heading: 'ROLE', cell: (entity: Entity) => entity.role },
  { heading: 'STATE', cell: (entity: Entity) => stateOf(entity) },
]

const stateOf = ({ disabled, bypass }: Entity): string => {
  if (disabled) return 'disabled'
  return bypass ? 'bypass' : 'active'
}

const show = ({ print, style }: Session, entity: Entity): void =>
  print(entity, () =>
    fieldsText(
      {
        entity: entity.entity_id,
        name: entity.name,
        kind: entity.kind,
        parent: entity.parent_id,
        cascade: entity.cascade,
        role: entity.role,
        priority: entity.priority,
        models: entity.models?.join(', ') ?? 'all',
        state: stateOf(entity),
        created: timeText(entity.created_at),
        ...Object.fromEntries(
          Object.entries(entity.metadata).map(([name, value]) => [`metadata ${name}`, value]),
        ),
      },
      style,
    ),
  )
