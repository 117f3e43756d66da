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

    interface Store {
      readonly db: { open(): Promise<void> }
      getItemDb(tableName: string): ItemDb
    }
  }
  export = db
}
