// A web application of Express as a Lambda function: serverless-http makes it one.
const express = require('express');
const serverless = require('serverless-http');

const app = express();
// Express's own parser keeps repeated names as lists; here they are to stand in order.
const pairs = (url) => [...new URL(url, 'http://x').searchParams];

app.post('/echo/:name', express.json(), (request, response) => {
  response.cookie('a', '1').cookie('b', '2').set('x-app', 'express').status(201).json({
    name: request.params.name,
    query: pairs(request.url),
    x: request.get('x-test'),
    cookie: request.get('cookie'),
    body: request.body,
  });
});

app.post('/reverse', express.raw({ type: () => true }), (request, response) => {
  response.type('image/png').send(Buffer.from(request.body).reverse());
});

app.get('/boom', (request, response) => response.status(500).json({ error: 'boom' }));

exports.handler = serverless(app, { binary: ['image/png'] });

// Lambda's own way to answer bit by bit.
const seconds = (n) => new Promise((done) => setTimeout(done, n * 1000));
exports.ticks = globalThis.awslambda?.streamifyResponse(async (event, out) => {
  out = awslambda.HttpResponseStream.from(out, {
    statusCode: 201,
    headers: { 'Content-Type': 'text/plain' },
    cookies: ['a=1', 'b=2'],
  });
  for (let n = 0; n < 5; n++) {
    out.write(`tick ${n}\n`);
    await seconds(0.1);
  }
  out.end();
});
