// Several tabs of one phone share its database: what only one of them may do is done under a lock's name.

/** One tab at a time, the others wait. */
export function locked<T>(name: string, work: () => Promise<T>): Promise<T> {
  return globalThis.navigator?.locks ? (navigator.locks.request(name, work) as Promise<T>) : work()
}

/** Hold a name for this tab until it is let go by what is returned, or closed; null where another tab has it. */
export function held(name: string): Promise<(() => void) | null> {
  if (!globalThis.navigator?.locks) return Promise.resolve(() => {})
  return new Promise((found) => {
    void navigator.locks.request(name, { ifAvailable: true }, (lock) => {
      if (!lock) return found(null)
      return new Promise<void>((letGo) => found(letGo))
    })
  })
}
