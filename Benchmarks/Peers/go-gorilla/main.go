// A client with Go and gorilla/websocket: ReadMessage in a loop, one goroutine for each connection.
//
// usage: go-gorilla URI --ca FILE [--parse] [--echo] [--idle K]
package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"sync"
	"syscall"

	"github.com/gorilla/websocket"
)

const subscribe = `{"message":"subscribe","topics":["v2.users.e40f28ea-fa86-493f-a5b8-d559c8533c96.presence"],` +
	`"correlationId":"uno5VlaUHt5t2Mul"}`

type notification struct {
	TopicName string `json:"topicName"`
}

var (
	uri, ca     string
	parse, echo bool
	idle        int
)

func fail(what interface{}) {
	fmt.Fprintln(os.Stderr, "go-gorilla:", what)
	os.Exit(69)
}

// Connects, subscribes and reads the confirmation.
func open(dialer *websocket.Dialer) *websocket.Conn {
	socket, _, err := dialer.Dial(uri, nil)
	if err != nil {
		fail(err)
	}
	if err = socket.WriteMessage(websocket.TextMessage, []byte(subscribe)); err != nil {
		fail(err)
	}
	if _, _, err = socket.ReadMessage(); err != nil {
		fail(err)
	}
	return socket
}

func read(socket *websocket.Conn) (messages, size int) {
	for {
		kind, message, err := socket.ReadMessage()
		if err != nil {
			if !websocket.IsCloseError(err, websocket.CloseNormalClosure) {
				fail(err)
			}
			return
		}
		messages++
		size += len(message)
		if parse {
			var parsed notification
			if err = json.Unmarshal(message, &parsed); err != nil {
				fail(err)
			}
		}
		if echo {
			if err = socket.WriteMessage(kind, message); err != nil {
				fail(err)
			}
		}
	}
}

func hold(dialer *websocket.Dialer) {
	terminated := make(chan os.Signal, 1)
	signal.Notify(terminated, syscall.SIGTERM)
	slots := make(chan struct{}, 64) // handshakes at a time
	var confirmed sync.WaitGroup
	confirmed.Add(idle)
	for i := 0; i < idle; i++ {
		slots <- struct{}{}
		go func() {
			socket := open(dialer)
			<-slots
			confirmed.Done()
			socket.ReadMessage()
		}()
	}
	confirmed.Wait()
	fmt.Println("READY")
	<-terminated
}

func main() {
	for i := 1; i < len(os.Args); i++ {
		switch os.Args[i] {
		case "--parse":
			parse = true
		case "--echo":
			echo = true
		case "--ca":
			i++
			ca = os.Args[i]
		case "--idle":
			i++
			idle, _ = strconv.Atoi(os.Args[i])
		default:
			uri = os.Args[i]
		}
	}
	pem, err := os.ReadFile(ca)
	if err != nil {
		fail(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	dialer := &websocket.Dialer{TLSClientConfig: &tls.Config{RootCAs: roots}}
	if idle > 0 {
		hold(dialer)
		return
	}
	messages, size := read(open(dialer))
	fmt.Printf("{\"messages\":%d,\"bytes\":%d}\n", messages, size)
}
