// Command now prints, for each line that it reads, what both clocks show.
package main

import (
	"bufio"
	"fmt"
	"os"
	"time"
)

func main() {
	began := time.Now()
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		// Until a clock that was set is read again. The runtime sends the time by itself here,
		// from a stack on which little may be done.
		ticker := time.NewTicker(time.Millisecond)
		for range 60 {
			select {
			case <-ticker.C:
			case <-time.After(time.Second):
			}
		}
		ticker.Stop()
		now := time.Now()
		deadline := now.Add(time.Second)
		fmt.Println(now.Unix(), int(time.Since(began).Seconds()), int(now.Sub(began).Seconds()), time.Until(deadline) > 0)
	}
}
