package chart

import "github.com/wellgate/wellgate/store"

// Away says after how many seconds to ask again if err means that the store cannot be reached now, or has no room: a door
// then answers 503 with Retry-After (REL-12).
func Away(err error) (seconds int, ok bool) { return store.Away(err) }
