package audit

import "fmt"

// VKey is the verifier key line of a log, from its origin and its seed, without opening the log.
func VKey(origin string, seed []byte) (string, error) {
	_, vkey, err := newSigner(origin, seed)
	if err != nil {
		return "", fmt.Errorf("audit: VKey: %w", err)
	}
	return vkey, nil
}
