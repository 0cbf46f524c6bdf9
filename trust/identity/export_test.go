package identity

// Cheap makes hashing quick, for tests that hash a thousand times; the floor is tested by Open itself.
func Cheap(i *Identity) {
	i.c.hash.recovery = HashParams{MiB: 1, Time: 1, Threads: 1}
	i.c.hash.now = i.c.hash.recovery
}
