//go:build unix

package durable

import (
	"os"

	"golang.org/x/sys/unix"
)

const canTry = true

// try writes what the socket takes now. A full socket is no error. A deadline that has passed is.
func (c *Conn) try(p []byte) (n int, err error) {
	rawErr := c.raw.Write(func(fd uintptr) bool {
		for n < len(p) {
			var k int
			k, err = unix.Write(int(fd), p[n:])
			if err == unix.EINTR {
				continue
			}
			if err != nil {
				break
			}
			n += k
		}
		return true
	})
	if err == unix.EAGAIN {
		err = nil
	} else if err != nil {
		err = os.NewSyscallError("write", err)
	}
	if rawErr != nil {
		err = rawErr
	}
	return n, err
}
