/** The parts of dynalite that are relied on; it ships no types. */
declare module 'dynalite' {
  import type { Server } from 'node:http'

  const dynalite: (options: { readonly path?: string; readonly createTableMs?: number }) => Server
  export = dynalite
}

declare module 'dynalite/db/index.js' {
  const db: { create: (options?: object) => db.Store }
  namespace db {
    type Item = Readonly<Record<string, { readonly S?: string; readonly N?: string }>>
    type Done = (error?: Error | null) => void

    /** The items of one table, by a key that dynalite makes of the item's own. Writers of a key hold its lock. */
    interface ItemDb {
      get(key: string, done: (error: Error | null, item?: Item) => void): void
      put(key: string, item: Item, done: Done): void
      del(key: string, done: Done): void
    }

    type Callback = (error: Error | null) => void

    /** LevelDB, or a database in memory, with callbacks. */
    interface Database {
      open(): Promise<void>
      readonly close: (() => Promise<void>) & { readonly _original?: () => Promise<void> }
      put(key: string, value: unknown, done: Callback): void
      del(key: string, done: Callback): void
      batch(operations: readonly unknown[], done: Callback): void
      get(key: string, done: (error: Error | null, value?: unknown) => void): void
    }

    interface Store {
      readonly db: Database
      getItemDb(tableName: string): ItemDb
    }
  }
  export = db
}
