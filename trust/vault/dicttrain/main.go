// Command dicttrain makes a zstd dictionary for the vault from sample records, one per line, on standard input:
//
//	go run ./demo/samples | go run ./trust/vault/dicttrain -id 1 > trust/vault/dict/001.zdict
//
// The dictionary holds pieces of the samples in clear and ships in the binary, so the samples must be generated data.
package main

import (
	"bufio"
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"

	"github.com/klauspost/compress/zstd"
)

func main() {
	id := flag.Uint("id", 0, "number of the dictionary, 1 to 65535; also the file's name")
	size := flag.Int("size", 64<<10, "bytes of sample text to keep (64 KB measured best)")
	most := flag.Int("samples", 30_000, "use at most this many lines, evenly spread")
	flag.Parse()
	if err := train(os.Stdin, os.Stdout, uint32(*id), *size, *most); err != nil {
		fmt.Fprintln(os.Stderr, "dicttrain:", err)
		os.Exit(1)
	}
}

// segment is how much text is taken from one place; 256 bytes measured best.
const segment = 256

func train(in io.Reader, out io.Writer, id uint32, size, most int) error {
	if id == 0 || id > 65535 {
		return errors.New("give a number from 1 to 65535 with -id")
	}
	samples, err := read(in)
	if err != nil {
		return err
	}
	if len(samples) < 100 {
		return fmt.Errorf("%d lines are too few; give at least 100 records, better thousands", len(samples))
	}
	rand.New(rand.NewPCG(1, 1)).Shuffle(len(samples), func(i, j int) { samples[i], samples[j] = samples[j], samples[i] })
	samples = spread(samples, most)
	d, err := zstd.BuildDict(zstd.BuildDictOptions{
		ID: id, History: cover(samples, size, segment), Contents: spread(samples, 4000), Offsets: [3]int{1, 4, 8}, Level: zstd.SpeedDefault,
	})
	if err != nil {
		return err
	}
	_, err = out.Write(d)
	return err
}

func read(in io.Reader) ([][]byte, error) {
	var samples [][]byte
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		if line := bytes.TrimSpace(lines.Bytes()); len(line) > 8 {
			samples = append(samples, bytes.Clone(line))
		}
	}
	return samples, lines.Err()
}

// spread keeps most of the samples at equal distances, so that every kind of record is among them.
func spread(samples [][]byte, most int) [][]byte {
	if len(samples) <= most || most < 1 {
		return samples
	}
	kept := make([][]byte, most)
	for i := range kept {
		kept[i] = samples[i*len(samples)/most]
	}
	return kept
}
