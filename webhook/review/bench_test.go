package review

import (
	"os"
	"path/filepath"
	"testing"
)

// BenchmarkDecode reads reviews that a real API server sent.
func BenchmarkDecode(b *testing.B) {
	for _, set := range []string{"small", "large"} {
		files, err := filepath.Glob(filepath.Join("..", "..", "e2e", "bench", "testdata", set, "*.json"))
		if err != nil || len(files) == 0 {
			b.Fatalf("no recorded reviews: %v", err)
		}
		var bodies [][]byte
		for _, f := range files {
			data, err := os.ReadFile(f)
			if err != nil {
				b.Fatal(err)
			}
			bodies = append(bodies, data)
		}
		b.Run(set, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(bodies[0])))
			for i := 0; b.Loop(); i++ {
				if _, err := Decode(bodies[i%len(bodies)], DecodeObjects); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
