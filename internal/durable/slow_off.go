//go:build !wellgate_slowdisk

package durable

// slowDisk waits before each write in a program that test/wire builds to prove itself.
func slowDisk() {}
