// Times npm's velocityjs: the template and the body of Bench.java, parsed template, body read by JSON.parse once a render.
// Run where `npm install velocityjs@2` was run.
import { createRequire } from 'node:module';
const { parse, Compile } = createRequire(process.cwd() + '/')('velocityjs');

const items = [];
for (let i = 0; i < 20; i++) items.push(`{"sku":"SKU-${i}","qty":${i + 1},"price":${(i * 3.5).toFixed(1)},"name":"Product number ${i}","tags":["a","b"]}`);
const body = `{"order":{"id":"o-1234","customer":{"name":"Ada Lovelace","email":"ada@example.com","vip":true},"items":[${items.join(',')}],"note":"leave at door"}}`;
const template = `#set($o = $input.path('$.order'))
{
  "orderId": "$o.id",
  "customer": {
    "fullName": "$o.customer.name",
    "mail": "$o.customer.email"
  },
#if($o.customer.vip)
  "priority": "high",
#else
  "priority": "normal",
#end
  "lines": [
#foreach($i in $o.items)
#set($n = $foreach.index + 1)
    {
      "line": $n,
      "sku": "$i.sku",
      "name": "$i.name",
      "qty": $i.qty,
      "price": $i.price,
#if($i.qty > 10)
      "bulk": true,
#end
      "source": "web"
    }#if($foreach.hasNext),#end

#end
  ],
  "note": "$o.note",
  "raw": $input.json('$.order.customer')
}
`;

const compile = new Compile(parse(template));
const at = (document, path) => path.split('.').slice(1).reduce((value, name) => value[name], document);
function render() {
  const document = JSON.parse(body);
  return compile.render({ input: { path: (p) => at(document, p), json: (p) => JSON.stringify(at(document, p)) } });
}

let bytes = 0;
for (let round = 0; round < 6; round++) {
  const count = 5000;
  const began = process.hrtime.bigint();
  for (let i = 0; i < count; i++) bytes = render().length;
  const took = Number(process.hrtime.bigint() - began) / 1e3 / count;
  console.log(`full us/render ${took.toFixed(2)} out ${bytes}`);
}
