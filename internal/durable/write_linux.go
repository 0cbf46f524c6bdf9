//go:build linux && (amd64 || arm64 || riscv64 || loong64)

package durable

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// iocb and event are the kernel's (linux/aio_abi.h) on little-endian machines of 64 bits.
type iocb struct {
	data      uint64
	key       uint32
	rwFlags   uint32
	opcode    uint16
	priority  int16
	file      uint32
	buf       uint64
	nbytes    uint64
	offset    int64
	reserved2 uint64
	flags     uint32
	eventfd   uint32
}

type event struct {
	data, obj uint64
	res, res2 int64
}

const (
	cmdPwrite = 1
	flagResfd = 1
)

// asyncWriter has one write in flight. Completion comes through an eventfd that Go's network poller watches, so the
// goroutine waits and no thread does.
type asyncWriter struct {
	ctx  uintptr
	wake *os.File
	fd   uint32
	cb   iocb
	list [1]*iocb
	done [1]event
}

func newAsync() (writer, error) {
	w := &asyncWriter{}
	if _, _, e := unix.Syscall(unix.SYS_IO_SETUP, 1, uintptr(unsafe.Pointer(&w.ctx)), 0); e != 0 {
		return nil, fmt.Errorf("io_setup: %w", e)
	}
	fd, err := unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC)
	if err != nil {
		unix.Syscall(unix.SYS_IO_DESTROY, w.ctx, 0, 0)
		return nil, fmt.Errorf("eventfd: %w", err)
	}
	w.fd, w.wake = uint32(fd), os.NewFile(uintptr(fd), "eventfd")
	return w, nil
}

func (w *asyncWriter) write(f *os.File, p []byte, off int64) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	if cerr := raw.Control(func(fd uintptr) { err = w.submit(fd, p, off) }); cerr != nil {
		return cerr
	}
	if err != nil {
		return err
	}
	var b [8]byte
	if _, err := io.ReadFull(w.wake, b[:]); err != nil {
		return fmt.Errorf("eventfd: %w", err)
	}
	n, _, e := unix.Syscall6(unix.SYS_IO_GETEVENTS, w.ctx, 1, 1, uintptr(unsafe.Pointer(&w.done)), 0, 0)
	switch {
	case e != 0:
		return fmt.Errorf("io_getevents: %w", e)
	case n != 1 || binary.NativeEndian.Uint64(b[:]) != 1:
		return fmt.Errorf("io_getevents: %d events", n)
	case w.done[0].res < 0:
		return unix.Errno(-w.done[0].res)
	case w.done[0].res != int64(len(p)):
		return io.ErrShortWrite
	}
	return nil
}

// submit hands p to the kernel. p lies outside Go's heap and stays as it is until the event has come.
func (w *asyncWriter) submit(fd uintptr, p []byte, off int64) error {
	w.cb = iocb{
		rwFlags: unix.RWF_DSYNC, opcode: cmdPwrite, file: uint32(fd),
		buf: uint64(uintptr(unsafe.Pointer(unsafe.SliceData(p)))), nbytes: uint64(len(p)), offset: off,
		flags: flagResfd, eventfd: w.fd,
	}
	w.list[0] = &w.cb
	n, _, e := unix.Syscall(unix.SYS_IO_SUBMIT, w.ctx, 1, uintptr(unsafe.Pointer(&w.list)))
	runtime.KeepAlive(w)
	if e != 0 {
		return fmt.Errorf("io_submit: %w", e)
	}
	if n != 1 {
		return fmt.Errorf("io_submit took %d of 1", n)
	}
	return nil
}

// close waits for what is in flight.
func (w *asyncWriter) close() error {
	unix.Syscall(unix.SYS_IO_DESTROY, w.ctx, 0, 0)
	return w.wake.Close()
}

const directFlag = unix.O_DIRECT
