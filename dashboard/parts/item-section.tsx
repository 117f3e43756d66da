import './item-section.css'
import type { ComponentChildren, ComponentType } from 'preact'
import { useState } from 'preact/hooks'
import { pathOf } from '../api/api.ts'
import type { QueryResult } from '../api/hooks.ts'
import { useSession } from '../api/session.tsx'
import { RowButton } from './controls.tsx'
import { Confirm } from './dialog.tsx'
import { DoneNotice, ErrorNotice } from './notices.tsx'

interface ItemSectionProps<T> {
  /** The collection in the API: `alerts`. */
  readonly collection: string
  readonly title: string
  /** Explains the items, below the title. */
  readonly note: ComponentChildren
  /** The label of the button that adds an item. */
  readonly add: string
  readonly query: QueryResult<{ readonly items: readonly T[] }>
  /** The name of an item, by which it is shown and removed. */
  nameOf(item: T): string
  /** Shown if there are no items. */
  readonly empty: ComponentChildren
  readonly Row: ComponentType<ItemRowProps<T>>
  readonly Form: ComponentType<ItemFormProps<T>>
  /** The consequences of a removal. */
  readonly removal: ComponentChildren
}

/** The props of an item of the list. */
export interface ItemRowProps<T> {
  readonly item: T
  /** The buttons that edit and remove it; none if the role may only read. */
  readonly actions: ComponentChildren
}

/** The props of the dialog that adds or edits an item. */
export interface ItemFormProps<T> {
  /** Undefined for a new item. */
  readonly item: T | undefined
  /** All items. */
  readonly items: readonly T[]
  onSaved(): void
  onClose(): void
}

type Task<T> =
  | { readonly kind: 'edit'; readonly item: T | undefined }
  | { readonly kind: 'remove'; readonly item: T }

/** A list of named items that can be added, edited and removed. */
export const ItemSection = <T,>(props: ItemSectionProps<T>) => {
  const { collection, title, note, add, query, nameOf } = props
  const { mayWrite } = useSession()
  const [task, setTask] = useState<Task<T> | undefined>(undefined)
  const [removed, setRemoved] = useState<string | undefined>(undefined)
  const begin = (next: Task<T>) => {
    setRemoved(undefined)
    setTask(next)
  }
  const finish = () => {
    if (task?.kind === 'remove') setRemoved(nameOf(task.item))
    setTask(undefined)
    query.reload()
  }
  const titleId = `${collection}-title`
  return (
    <section class="card" aria-labelledby={titleId}>
      <div>
        <div class="card-head">
          <h2 id={titleId}>{title}</h2>
          {mayWrite && (
            <button class="button" type="button" onClick={() => begin({ kind: 'edit', item: undefined })}>
              {add}
            </button>
          )}
        </div>
        <p class="quiet">{note}</p>
      </div>
      {removed !== undefined && <DoneNotice text={`${removed} is removed.`} takesFocus />}
      <ErrorNotice error={query.error} />
      <ItemList {...props} titleId={titleId} onTask={begin} />
      {task && <ItemTask {...props} task={task} onDone={finish} onClose={() => setTask(undefined)} />}
    </section>
  )
}

type ItemListProps<T> = Pick<ItemSectionProps<T>, 'query' | 'nameOf' | 'empty' | 'Row'> & {
  readonly titleId: string
  onTask(task: Task<T>): void
}

const ItemList = <T,>({ query: { data }, nameOf, empty, Row, titleId, onTask }: ItemListProps<T>) => {
  if (data === undefined) return null
  if (data.items.length === 0) return <>{empty}</>
  return (
    <ul class="items" aria-labelledby={titleId}>
      {data.items.map((item) => (
        <Row
          key={nameOf(item)}
          item={item}
          actions={
            <ItemActions
              name={nameOf(item)}
              onEdit={() => onTask({ kind: 'edit', item })}
              onRemove={() => onTask({ kind: 'remove', item })}
            />
          }
        />
      ))}
    </ul>
  )
}

interface ItemActionsProps {
  readonly name: string
  onEdit(): void
  onRemove(): void
}

const ItemActions = ({ name, onEdit, onRemove }: ItemActionsProps) => {
  const { mayWrite } = useSession()
  if (!mayWrite) return null
  return (
    <div class="actions">
      <RowButton action="Edit" name={name} onClick={onEdit} />
      <RowButton action="Remove" name={name} isDangerous onClick={onRemove} />
    </div>
  )
}

type ItemTaskProps<T> = Pick<ItemSectionProps<T>, 'collection' | 'query' | 'nameOf' | 'Form' | 'removal'> & {
  readonly task: Task<T>
  onDone(): void
  onClose(): void
}

const ItemTask = <T,>(props: ItemTaskProps<T>) => {
  const { collection, query, nameOf, Form, removal, task, onDone, onClose } = props
  const { api } = useSession()
  if (task.kind === 'edit')
    return <Form item={task.item} items={query.data?.items ?? []} onSaved={onDone} onClose={onClose} />
  const name = nameOf(task.item)
  return (
    <Confirm
      title={`Remove ${name}?`}
      action={`Remove ${name}`}
      act={() => api.send('DELETE', pathOf(`api/${collection}`, name))}
      onDone={onDone}
      onClose={onClose}
    >
      <p>{removal}</p>
    </Confirm>
  )
}
