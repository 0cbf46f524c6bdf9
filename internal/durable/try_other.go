//go:build !unix

package durable

const canTry = false

// try is never called: each connection's bytes are sent by a goroutine of its own.
func (c *Conn) try([]byte) (int, error) { return 0, nil }
