"""SQS, as who waits for events uses it."""

import json
import threading
import time

from lab import Refused, scenario
from sources import DEAD_LETTERS, LONG_POLL, VISIBILITY, sqs as api


@scenario
def messages(on):
    """Messages of a queue"""
    sqs = on.aws("sqs", on.account("us"))
    url = sqs.create_queue(QueueName="events")["QueueUrl"]

    def receive(**more):
        return sqs.receive_message(QueueUrl=url, AttributeNames=["All"], **more).get("Messages", [])

    on.see("an empty queue", api("ReceiveMessage"), [], receive)
    on.see("a message is sent, and boto3 finds its digests right", api("SendMessage"), "done",
           lambda: sqs.send_message(QueueUrl=url, MessageBody="pöison", MessageAttributes={
               "n": {"DataType": "Number", "StringValue": "1"}}))
    first = receive()
    on.see("it is received", api("ReceiveMessage"), ["pöison"], lambda: [message["Body"] for message in first])
    on.see("how often it was received", api("ReceiveMessage"), ["1"],
           lambda: [message["Attributes"]["ApproximateReceiveCount"] for message in first])
    on.see("it is hidden from the next", VISIBILITY, [], receive)
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=first[0]["ReceiptHandle"], VisibilityTimeout=0)
    second = receive(MessageAttributeNames=["All"], VisibilityTimeout=1)
    on.see("it is shown again when its visibility timeout is set to 0", VISIBILITY, ["2"],
           lambda: [message["Attributes"]["ApproximateReceiveCount"] for message in second])
    on.see("its attributes", api("ReceiveMessage"), {"n": {"DataType": "Number", "StringValue": "1"}},
           lambda: second[0]["MessageAttributes"])

    on.pass_time(seconds=1.5)
    third = receive(VisibilityTimeout=0)
    on.see("it is shown again when its visibility timeout is over", VISIBILITY, 1, lambda: len(third))
    on.see("it is deleted", api("DeleteMessage"), "done",
           lambda: sqs.delete_message(QueueUrl=url, ReceiptHandle=third[0]["ReceiptHandle"]))
    on.see("what is left", api("DeleteMessage"), [], receive)


@scenario
def waiting_and_batches(on):
    """Waiting for messages, batches, dead letters"""
    us = on.account("us")
    sqs = on.aws("sqs", us)
    url = sqs.create_queue(QueueName="events")["QueueUrl"]

    def poll():
        sender = threading.Timer(0.2, lambda: sqs.send_message(QueueUrl=url, MessageBody="late"))
        sender.start()
        began = time.monotonic()
        heard = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20).get("Messages", [])
        sender.join()
        for message in heard:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return [message["Body"] for message in heard] if time.monotonic() - began < 15 else "after the whole wait"

    on.see("a message that is sent while somebody waits", LONG_POLL, ["late"], poll)
    sent = sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": str(n), "MessageBody": str(n)} for n in range(10)])
    on.see("ten are sent at once", api("SendMessageBatch"), 10, lambda: len(sent["Successful"]))
    held = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    on.see("as many at once are received as are asked for, at most", api("ReceiveMessage"), True,
           lambda: 1 <= len(held) <= 10)
    on.see("eleven are asked for", api("ReceiveMessage"), Refused(),
           lambda: sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=11))
    entries = [{"Id": str(n), "ReceiptHandle": message["ReceiptHandle"]} for n, message in enumerate(held)]
    on.see("they are deleted at once", api("DeleteMessageBatch"), True,
           lambda: len(sqs.delete_message_batch(QueueUrl=url, Entries=entries)["Successful"]) == len(held))
    on.see("a wrong handle", api("DeleteMessage"), Refused("ReceiptHandleIsInvalid"),
           lambda: sqs.delete_message(QueueUrl=url, ReceiptHandle="x"))
    on.see("a queue that is not there", api("GetQueueUrl"), Refused("AWS.SimpleQueueService.NonExistentQueue"),
           lambda: sqs.get_queue_url(QueueName="none"))
    stranger = on.aws("sqs", on.account("stranger"))
    on.see("another account sends", api("SendMessage"), Refused("AccessDenied"),
           lambda: stranger.send_message(QueueUrl=url, MessageBody="forged"))
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 1})
    poisoned = sqs.create_queue(QueueName="poisoned", Attributes={"RedrivePolicy": policy})["QueueUrl"]
    sqs.send_message(QueueUrl=poisoned, MessageBody="poison")
    message = sqs.receive_message(QueueUrl=poisoned)["Messages"][0]
    sqs.change_message_visibility(QueueUrl=poisoned, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)
    on.see("received more often than maxReceiveCount", DEAD_LETTERS, [],
           lambda: sqs.receive_message(QueueUrl=poisoned).get("Messages", []))
    on.see("where it is then", DEAD_LETTERS, ["poison"],
           lambda: [message["Body"] for message in sqs.receive_message(QueueUrl=dead).get("Messages", [])])
    on.see("the same queue is made again", api("CreateQueue"), True,
           lambda: sqs.create_queue(QueueName="events")["QueueUrl"] == url)
    on.see("the same queue is made again, with other attributes", api("CreateQueue"), Refused("QueueAlreadyExists"),
           lambda: sqs.create_queue(QueueName="events", Attributes={"VisibilityTimeout": "77"}))
