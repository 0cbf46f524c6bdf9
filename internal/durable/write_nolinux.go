//go:build !(linux && (amd64 || arm64 || riscv64 || loong64))

package durable

import "errors"

const directFlag = 0

func newAsync() (writer, error) {
	return nil, errors.New("asynchronous writes are not for this system")
}
