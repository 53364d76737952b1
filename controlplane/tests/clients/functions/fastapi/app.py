"""A web application of FastAPI as a Lambda function: Mangum makes it one."""

from fastapi import Body, FastAPI, Request, Response
from fastapi.responses import JSONResponse
from mangum import Mangum

app = FastAPI()


@app.post("/echo/{name}", status_code=201)
def echo(name: str, request: Request, response: Response, body: dict = Body()):
    response.set_cookie("a", "1")
    response.set_cookie("b", "2")
    response.headers["x-app"] = "fastapi"
    headers = request.headers
    return {
        "name": name,
        "query": request.query_params.multi_items(),
        "x": headers["x-test"],
        "cookie": headers["cookie"],
        "body": body,
    }


@app.post("/reverse")
async def reverse(request: Request):
    return Response((await request.body())[::-1], media_type="image/png")


@app.get("/boom")
def boom():
    return JSONResponse({"error": "boom"}, 500)


handler = Mangum(app, lifespan="off")
