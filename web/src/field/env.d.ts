/** When this edition was built, to the minute. */
declare const __EDITION__: string
