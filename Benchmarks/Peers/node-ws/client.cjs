#!/usr/bin/env node
// A client with Node.js's `ws`: an event for each message, compression off, no size limit.
//
// usage: node client.cjs URI --ca FILE [--parse] [--echo] [--idle K]; node client.cjs --check
"use strict";

const fs = require("fs");

function load() {
    // Where Debian puts it; a Node.js from elsewhere does not look there by itself.
    for (const place of ["ws", "/usr/share/nodejs/ws"]) {
        try {
            return require(place);
        } catch (error) {
            if (error.code !== "MODULE_NOT_FOUND") throw error;
        }
    }
    console.error("the package `ws` is not installed");
    process.exit(1);
}

const WebSocket = load();
if (process.argv.includes("--check")) process.exit(0);

const after = (name) => (process.argv.includes(name) ? process.argv[process.argv.indexOf(name) + 1] : undefined);
const uri = process.argv[2];
const parse = process.argv.includes("--parse");
const echo = process.argv.includes("--echo");
const idle = Number(after("--idle") || 0);
const settings = { ca: fs.readFileSync(after("--ca")), perMessageDeflate: false, maxPayload: 0 };
const subscribe = JSON.stringify({
    message: "subscribe",
    topics: ["v2.users.e40f28ea-fa86-493f-a5b8-d559c8533c96.presence"],
    correlationId: "uno5VlaUHt5t2Mul",
});

let messages = 0, size = 0, opened = 0, confirmed = 0;

function open() {
    const socket = new WebSocket(uri, settings);
    let isConfirmed = false;
    opened += 1;
    socket.on("open", () => socket.send(subscribe));
    socket.on("error", (error) => {
        console.error(error.message);
        process.exit(69);
    });
    socket.on("message", (data) => {
        if (!isConfirmed) {
            isConfirmed = true;
            confirmed += 1;
            if (opened < idle) open();
            if (confirmed === idle) process.stdout.write("READY\n");
            return;
        }
        messages += 1;
        size += data.length;
        if (parse) JSON.parse(data).topicName;
        if (echo) socket.send(data, { binary: false });
    });
    socket.on("close", () => {
        if (!idle) process.stdout.write(JSON.stringify({ messages, bytes: size }) + "\n");
    });
    return socket;
}

process.on("SIGTERM", () => process.exit(0));
for (let i = 0; i < Math.max(1, Math.min(idle, 64)); i += 1) open();
